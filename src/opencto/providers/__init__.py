"""The one door to OpenAI and to servers that speak its wire. A key is an argument; nothing here looks one up."""
