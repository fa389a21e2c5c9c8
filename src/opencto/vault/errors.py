"""What may go wrong with a key, as its owner sees it."""

from opencto.core.problems import Conflict, Invalid, NotFound
from opencto.wire.keys import KeyProvider, KeyScope


class NoProviderKey(Conflict):
    code, title = "NO_PROVIDER_KEY", "There is no OpenAI key"

    def __init__(self) -> None:
        super().__init__(
            "There is no OpenAI key for you here. Save one with PUT /api/v1/llm/keys/openai or `opencto keys set openai`, or ask an admin to share one."
        )


class NoSuchKey(NotFound):
    def __init__(self, provider: KeyProvider, scope: KeyScope, slug: str) -> None:
        which = "You have no" if scope == "user" else "The workspace shares no"
        super().__init__(f"{which} {provider.value} key in {slug}. `opencto keys list` shows what there is.")


class KeyUnreadable(Conflict):
    code, title = "PROVIDER_KEY_UNREADABLE", "The stored key cannot be opened"

    def __init__(self) -> None:
        super().__init__(
            "A key is stored, but this server cannot open it: its secrets changed, or the row was moved. Save the key again, or bring the secrets back."
        )


class WrongKindOfKey(Invalid):
    code, title = "WRONG_KIND_OF_KEY", "This is the other kind of key"

    @classmethod
    def admin_for_inference(cls) -> "WrongKindOfKey":
        return cls(
            "This is an admin key (sk-admin-…), which cannot talk to models. Save it under openai-admin, and a project key under openai.",
        )

    @classmethod
    def inference_for_admin(cls) -> "WrongKindOfKey":
        return cls(
            "This key cannot read the organization's usage. Make an admin key (sk-admin-…) in OpenAI's organization settings and save that."
        )
