"""What people say, and which tool with which arguments is right. Now is Wednesday 2026-11-18, 11:00 in Berlin.

The toolsets are ours (operations) and those of strangers. A value that is a tuple means that each of its members is right;
`None` among them that it may be left out.
"""

from typing import Any

from opencto.sandbox.ports import Tool


def build(name: str, description: str, required: tuple[str, ...] = (), /, **properties: dict[str, Any]) -> Tool:
    return Tool(name, description, {"type": "object", "properties": properties, "required": list(required)})


def text(description: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "string", **({"description": description} if description else {}), **more}


def choice(*values: str, description: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "string", "enum": list(values), "description": description, **more}


def whole(description: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "integer", "description": description, **more}


OPS = (
    build(
        "list_openai_models",
        "List the OpenAI models that the workspace's key reaches, and warn of models in use that end soon.",
        capability=choice(
            "chat", "responses", "realtime", "audio", "transcription", "speech", "embeddings", "moderation", "images", "video",
            "completions", description="Only models with this capability.",
        ),
    ),
    build(
        "get_openai_usage",
        "Get what was used of OpenAI and what it cost (spend, bill, tokens), by UTC day, model or project; the last 7 days if not told otherwise.",
        start=text("First day, YYYY-MM-DD; absent means 7 days up to the end.", format="date"),
        end=text("Last day, included, YYYY-MM-DD; absent means today.", format="date"),
        group_by=choice("day", "model", "project", description="What the figures are split by.", default="day"),
    ),
    build("get_limits_status", "Get how much of the rate limits and of this month's budget is used, and what is left."),
    build(
        "get_service_health",
        "Get whether this OpenCTO server is well, and its refusals, errors and slow answers of the last hour.",
    ),
)  # fmt: skip

TICKETS = (
    build(
        "search_tickets",
        "Search support tickets by text, status or assignee.",
        query=text("Words to look for."),
        status=choice("open", "in_progress", "closed", description="Only tickets in this state."),
        assignee=text("Name of the person who works on it."),
        limit=whole("How many at most.", default=10),
    ),
    build(
        "create_ticket",
        "Open a new support ticket.",
        ("title",),
        title=text("A short summary of the problem."),
        priority=choice("low", "normal", "high", "urgent", default="normal"),
        customer=text("The customer it is for."),
    ),
    build("get_ticket", "Show one ticket with its comments.", ("ticket_id",), ticket_id=text("Such as TCK-1042.")),
    build(
        "assign_ticket",
        "Hand a ticket to somebody.",
        ("ticket_id", "assignee"),
        ticket_id=text(),
        assignee=text("Who takes over."),
    ),
)

WORLD = (
    build(
        "get_weather",
        "Weather forecast for a place.",
        ("city",),
        city=text("City name."),
        day=text("YYYY-MM-DD", format="date"),
        unit=choice("celsius", "fahrenheit", default="celsius"),
    ),
    build(
        "convertCurrency",
        "Convert an amount of money from one currency to another.",
        ("amount", "from", "to"),
        **{
            "amount": {"type": "number"},
            "from": text("ISO code of the currency, such as EUR."),
            "to": text("ISO code of the target currency."),
        },
    ),
    build(
        "set_reminder",
        "Remind me of something at a later time.",
        ("text", "at"),
        text=text("What to be reminded of."),
        at=text("When.", format="date-time"),
    ),
    build(
        "turn_lights",
        "Switch the lights of a room on or off, or dim them.",
        ("room",),
        room=choice("kitchen", "living_room", "bedroom", "office"),
        on={"type": "boolean", "description": "True switches on."},
        brightness=whole("Percent.", minimum=0, maximum=100),
    ),
)

DELIVERY = (
    build(
        "listDeployments",
        "List deployments of a service to an environment.",
        service=text("Service name, such as checkout."),
        environment=choice("staging", "production"),
        since=text("Only those after this date (YYYY-MM-DD)."),
        limit=whole(),
    ),
    build(
        "rollback_service",
        "Roll a service back to an earlier version.",
        ("service",),
        service=text(),
        version=text("Version to go back to, such as v1.4.2."),
        dry_run={"type": "boolean", "default": False},
    ),
    build(
        "who_is_on_call",
        "Tell who is on call for a team.",
        team=text("Team name."),
        date=text("The day, YYYY-MM-DD."),
    ),
    build(
        "search_logs",
        "Search the logs of a service for errors and other messages.",
        ("service",),
        service=text(),
        level=choice("debug", "info", "warning", "error"),
        minutes=whole("How far back, in minutes."),
        text=text("Words that must occur."),
    ),
)

OFFICE = (
    build(
        "list_invoices",
        "List the invoices of customers with their amounts and due dates.",
        customer=text(),
        status={"type": "array", "items": choice("draft", "open", "paid", "overdue")},
        date_from=text(format="date"),
        date_to=text(format="date"),
    ),
    build(
        "send_invoice",
        "E-mail an invoice to an address.",
        ("invoice_id", "email"),
        invoice_id=text("Such as INV-2041."),
        email=text(format="email"),
    ),
    build(
        "book_meeting",
        "Put a meeting into the calendar.",
        ("title", "date"),
        title=text(),
        date=text(format="date"),
        time=text("HH:MM"),
        attendees={"type": "array", "items": text("Name of a person.")},
        duration_minutes=whole(),
    ),
    build("days_off_left", "How many vacation days an employee has left.", employee=text("Name.")),
)

SETS = {"ops": OPS, "tickets": TICKETS, "world": WORLD, "delivery": DELIVERY, "office": OFFICE}

Case = tuple[str, str, str, dict[str, Any]]

CASES: list[Case] = [
    ("ops", "How much did we spend on OpenAI last week?", "get_openai_usage", {"start": "2026-11-09", "end": "2026-11-15"}),
    ("ops", "what did we spend yesterday", "get_openai_usage", {"start": "2026-11-17", "end": "2026-11-17"}),
    ("ops", "What were our costs in October?", "get_openai_usage", {"start": "2026-10-01", "end": "2026-10-31"}),
    ("ops", "Show me the bill for this month", "get_openai_usage", {"start": "2026-11-01", "end": "2026-11-18"}),
    ("ops", "how many tokens did we burn since Monday", "get_openai_usage", {"start": "2026-11-16", "end": ("2026-11-18", None)}),
    ("ops", "Break down last month's costs by model", "get_openai_usage", {"start": "2026-10-01", "end": "2026-10-31", "group_by": "model"}),
    ("ops", "What was the usage per project over the past 30 days?", "get_openai_usage", {"start": "2026-10-20", "end": "2026-11-18", "group_by": "project"}),
    ("ops", "Which models are going to be shut down?", "list_openai_models", {}),
    ("ops", "Which models can we use for realtime?", "list_openai_models", {"capability": "realtime"}),
    ("ops", "list the embedding models", "list_openai_models", {"capability": "embeddings"}),
    ("ops", "is any model we use about to be retired", "list_openai_models", {}),
    ("ops", "How close are we to the budget?", "get_limits_status", {}),
    ("ops", "how much of our rate limit is left", "get_limits_status", {}),
    ("ops", "Is everything okay with the server?", "get_service_health", {}),
    ("ops", "are we up and running", "get_service_health", {}),
    ("ops", "Have there been any errors in the last hour?", "get_service_health", {}),
    ("ops", "How healthy is the system right now?", "get_service_health", {}),
    ("ops", "how much money went to OpenAI from November first to November fifth", "get_openai_usage", {"start": "2026-11-01", "end": "2026-11-05"}),
    ("ops", "hey, could you tell me how expensive the day before yesterday was?", "get_openai_usage", {"start": "2026-11-16", "end": "2026-11-16"}),
    ("ops", "Tell me what we paid for AI between the 3rd and the 9th of October.", "get_openai_usage", {"start": "2026-10-03", "end": "2026-10-09"}),
    ("tickets", "Find tickets about login failures", "search_tickets", {"query": "login failures"}),
    ("tickets", "Which tickets are still open?", "search_tickets", {"status": "open"}),
    ("tickets", "Show me the last five closed tickets", "search_tickets", {"status": "closed", "limit": 5}),
    ("tickets", "what is Maria working on", "search_tickets", {"assignee": "Maria"}),
    ("tickets", "Open a high priority ticket titled \"Printer on fire\"", "create_ticket", {"title": "Printer on fire", "priority": "high"}),
    ("tickets", "create a ticket called Payment page is blank for Acme", "create_ticket", {"title": "Payment page is blank", "customer": "Acme"}),
    ("tickets", "Show me ticket TCK-1042", "get_ticket", {"ticket_id": "TCK-1042"}),
    ("tickets", "what's going on with TCK-7", "get_ticket", {"ticket_id": "TCK-7"}),
    ("tickets", "Assign TCK-12 to Jonas", "assign_ticket", {"ticket_id": "TCK-12", "assignee": "Jonas"}),
    ("tickets", "hand ticket TCK-99 over to Priya please", "assign_ticket", {"ticket_id": "TCK-99", "assignee": "Priya"}),
    ("tickets", "Search for tickets mentioning \"timeout\" that are in progress", "search_tickets", {"query": "timeout", "status": "in_progress"}),
    ("world", "What will the weather be in Vienna tomorrow?", "get_weather", {"city": "Vienna", "day": "2026-11-19"}),
    ("world", "how's the weather in New York", "get_weather", {"city": "New York"}),
    ("world", "Is it going to rain in Hamburg on Friday?", "get_weather", {"city": "Hamburg", "day": "2026-11-20"}),
    ("world", "Temperature in Austin in Fahrenheit please", "get_weather", {"city": "Austin", "unit": "fahrenheit"}),
    ("world", "Convert 250 EUR to USD", "convertCurrency", {"amount": 250, "from": "EUR", "to": "USD"}),
    ("world", "how much is 99.5 CHF in GBP", "convertCurrency", {"amount": 99.5, "from": "CHF", "to": "GBP"}),
    ("world", "Remind me to call the bank tomorrow at 3pm", "set_reminder", {"text": "call the bank", "at": ("2026-11-19T15:00:00+01:00", "2026-11-19T15:00:00")}),
    ("world", "Turn on the lights in the kitchen", "turn_lights", {"room": "kitchen", "on": True}),
    ("world", "switch the bedroom lights off", "turn_lights", {"room": "bedroom", "on": False}),
    ("world", "dim the living room to thirty percent", "turn_lights", {"room": "living_room", "brightness": 30}),
    ("delivery", "What was deployed to production since Monday?", "listDeployments", {"environment": "production", "since": "2026-11-16"}),
    ("delivery", "list the last 3 deployments of checkout", "listDeployments", {"service": "checkout", "limit": 3}),
    ("delivery", "Roll back the payments service to v2.3.1", "rollback_service", {"service": "payments", "version": "v2.3.1"}),
    ("delivery", "roll checkout back, dry run", "rollback_service", {"service": "checkout", "dry_run": True}),
    ("delivery", "Who is on call for the platform team tonight?", "who_is_on_call", {"team": "platform", "date": "2026-11-18"}),
    ("delivery", "who's on call tomorrow", "who_is_on_call", {"date": "2026-11-19"}),
    ("delivery", "Show me errors of the billing service in the last 15 minutes", "search_logs", {"service": "billing", "level": "error", "minutes": 15}),
    ("delivery", "search the logs of checkout for \"connection refused\"", "search_logs", {"service": "checkout", "text": "connection refused"}),
    ("delivery", "any warnings from the gateway in the past two hours?", "search_logs", {"service": "gateway", "level": "warning", "minutes": 120}),
    ("office", "Which invoices are overdue?", "list_invoices", {"status": ["overdue"]}),
    ("office", "Show open and overdue invoices for Acme", "list_invoices", {"status": ["open", "overdue"], "customer": "Acme"}),
    ("office", "list all invoices from last month", "list_invoices", {"date_from": "2026-10-01", "date_to": "2026-10-31"}),
    ("office", "Send invoice INV-2041 to billing@acme.com", "send_invoice", {"invoice_id": "INV-2041", "email": "billing@acme.com"}),
    ("office", "Book a meeting with Anna and Tom on Friday at 10am about the roadmap", "book_meeting", {"title": ("the roadmap", "roadmap", "Roadmap"), "date": "2026-11-20", "time": "10:00", "attendees": ["Anna", "Tom"]}),
    ("office", "Schedule \"Budget review\" for tomorrow at 14:30 for 45 minutes", "book_meeting", {"title": "Budget review", "date": "2026-11-19", "time": "14:30", "duration_minutes": 45}),
    ("office", "How many vacation days does Lena have left?", "days_off_left", {"employee": "Lena"}),
    ("office", "how much holiday do I still have", "days_off_left", {}),
]  # fmt: skip

SMALL_TALK: list[str] = [
    "Hello", "hi there", "Good morning!", "hey, how are you?", "Thanks a lot!", "thank you, that was helpful", "Bye", "see you later",
    "Who are you?", "What can you do?", "are you a robot", "help", "nice to meet you", "ok", "great", "yes", "no", "never mind",
    "you are awesome", "that's funny", "I'm tired today", "what's your name", "sorry", "good night", "how was your weekend", "cool, thanks",
    "What is the capital of France?", "Write me a poem", "Tell me a joke", "Who won the world cup in 2018?", "How do I bake bread?",
    "what is 17 plus 25", "Explain recursion to me", "What do you think about Rust?", "Translate good morning to Spanish",
    "who wrote Romeo and Juliet", "what's the meaning of life", "Sing a song", "How tall is Mount Everest?", "do you like music",
    "Summarise the history of Rome", "What is a mutex?", "should I learn Python or Go", "write a haiku about autumn", "I love pizza",
    "can you recommend a good book", "is there life on Mars", "what is the square root of 144", "my dog is called Rex", "I had a bad day",

    "Who was president of the United States in 1990?", "What happened on July 4th 1776?", "How many people live in Vienna?",
    "What does HTTP stand for?", "Who invented the telephone?", "When did the second world war end?", "Why is the sky blue?",
    "Give me a recipe for pancakes", "Tell me a story about a dragon", "What's your favourite colour?", "How old are you?",
    "Is it true that cats have nine lives?", "What is the best programming language?", "How far away is the moon?", "I feel lonely",
    "my birthday was yesterday", "I just had lunch", "What should I cook tonight?", "How do I learn to play the guitar?",
    "What's the difference between TCP and UDP?", "say something nice", "Do you believe in ghosts?", "count to ten", "Who is Taylor Swift?",
    "What is the population of Germany?", "What's the fastest animal in the world?", "Write a Python function that reverses a string",
    "Please write an essay about climate change", "what's two times twelve", "Do you speak German?", "We won the match on Sunday!",
]  # fmt: skip
