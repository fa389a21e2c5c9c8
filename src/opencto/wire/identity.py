"""People, workspaces, roles, sessions, tokens and invitations on the wire."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StringConstraints, model_validator

from opencto.wire.base import Email, Name, Sent, Text, Time, Wire, WireIn


class Role(StrEnum):
    """What a person is in a workspace. Each can do what the one after it can, and more."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def at_least(self, other: "Role") -> bool:
        return self.rank >= other.rank


_RANKS = {Role.OWNER: 4, Role.ADMIN: 3, Role.MEMBER: 2, Role.VIEWER: 1}


class Scope(StrEnum):
    """What an API token may be used for, within what its owner may do. `all` is everything the owner may."""

    ALL = "all"
    ACCOUNT_READ = "account:read"
    WORKSPACES_READ = "workspaces:read"
    WORKSPACES_WRITE = "workspaces:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    TOKENS_READ = "tokens:read"
    TOKENS_WRITE = "tokens:write"
    AUDIT_READ = "audit:read"
    METRICS_READ = "metrics:read"
    STATUS_READ = "status:read"
    EVENTS_READ = "events:read"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    LEDGER_READ = "ledger:read"
    REALTIME = "realtime"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    OPENAI_READ = "openai:read"
    RESPOND = "respond"
    TOOLS = "tools"
    APPROVALS_WRITE = "approvals:write"


Password = Annotated[
    str, StringConstraints(min_length=10, max_length=200), Field(description="At least 10 characters; no other rules.")
]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")]
Code = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9]{6}|[a-zA-Z0-9]{5}-[a-zA-Z0-9]{5})$"),
    Field(description="Six digits of the app, or a recovery code."),
]


class Person(Wire):
    """A human being who can sign in. `isOperator` people run the whole server."""

    id: str
    name: str
    email: str | None
    email_verified: bool = Field(
        description="Whether somebody vouched for the address: the issuer, the invitation that named it, or an operator."
    )
    is_operator: bool
    second_factor: bool
    disabled_at: Time | None = None
    created_at: Time


class Membership(Wire):
    """One workspace of a person."""

    workspace_id: str
    slug: str
    name: str
    role: Role


class AuthSession(Wire):
    """Who is asking, and as what. `csrfToken` goes into X-CSRF-Token on every write made with the cookie."""

    signed_in: bool
    claimed: bool
    oidc_name: str | None = Field(
        None, description="The label of the single sign-on button; null where it is not set up."
    )
    person: Person | None = None
    workspaces: list[Membership] = Field(default_factory=list[Membership])
    csrf_token: str | None = None
    expires_at: Time | None = None
    via: Literal["session", "token"] | None = None


class Claim(WireIn):
    """The first person takes the server with the link that its terminal printed."""

    token: Annotated[str, StringConstraints(min_length=20, max_length=200)]
    name: Name
    email: Email
    password: Password


class Login(WireIn):
    """Sign in with a password, and with a code when the second factor is on."""

    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    code: Code | None = None


class Done(Wire):
    """It is done; there is nothing more to say."""

    ok: Literal[True] = True


class Workspace(Wire):
    """A team's room: its people, keys, limits and settings are its own."""

    id: str
    slug: str
    name: str
    role: Role | None = Field(None, description="The caller's role in it; null for an operator who is no member.")
    members: int
    created_at: Time


class WorkspaceCreate(WireIn):
    name: Name
    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")] | None = Field(
        None, description="Lower-case letters, digits and hyphens; made from the name when absent."
    )


class WorkspaceUpdate(WireIn):
    name: Name


class WorkspaceSettings(Wire):
    """What every surface uses: who the assistant is and what it may keep."""

    assistant_name: str
    instructions: str
    language: str
    voice: str
    time_zone: str
    transcript_retention_days: int | None = Field(description="null keeps transcripts; 0 stores none.")
    realtime_models: list[str] = Field(
        description="The models allowed for voice; empty allows the server's default alone."
    )
    chat_models: list[str] = Field(description="The models allowed for text; empty allows the server's default alone.")
    openai_project_ids: list[str]
    owns_openai_organization: bool
    updated_at: Time


ModelId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:/-]+$")]


ProjectId = Annotated[str, StringConstraints(pattern=r"^proj_[A-Za-z0-9]{1,64}$")]


class WorkspaceSettingsUpdate(WireIn):
    """Only the fields that are sent change. Null has a meaning for `transcriptRetentionDays` alone."""

    assistant_name: Sent[Name] = None
    instructions: Sent[Annotated[Text, Field(max_length=20_000)]] = None
    language: Sent[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]] = (
        Field(None, description="A BCP 47 tag such as en or de-AT.")
    )
    voice: Sent[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]] = None
    time_zone: Sent[Annotated[Text, Field(max_length=64)]] = Field(
        None, description="An IANA name such as Europe/Vienna.", examples=["Europe/Vienna"]
    )
    transcript_retention_days: Annotated[StrictInt, Field(ge=0, le=3650)] | None = None
    realtime_models: Sent[Annotated[list[ModelId], Field(max_length=50)]] = None
    chat_models: Sent[Annotated[list[ModelId], Field(max_length=50)]] = None
    openai_project_ids: Sent[Annotated[list[ProjectId], Field(max_length=50)]] = None
    owns_openai_organization: Sent[StrictBool] = None


class WorkspaceProjects(Wire):
    """What of OpenAI belongs to the workspace: these projects, or the whole organization."""

    project_ids: list[str]
    owns_organization: bool


class WorkspaceProjectsUpdate(WireIn):
    """Only the fields that are sent change. The same storage as in the settings."""

    project_ids: Sent[Annotated[list[ProjectId], Field(max_length=50)]] = None
    owns_organization: Sent[StrictBool] = None


class Member(Wire):
    """A person in a workspace."""

    person_id: str
    name: str
    email: str | None
    role: Role
    second_factor: bool
    disabled_at: Time | None = None
    joined_at: Time


class MemberUpdate(WireIn):
    role: Role


class PersonDetail(Person):
    """A person as the people who run the server see them."""

    is_local_owner: bool = Field(description="For whom the command line beside the data directory acts.")
    workspaces: list[Membership]


class PersonUpdate(WireIn):
    """Only the fields that are sent change."""

    disabled: Sent[StrictBool] = Field(None, description="A disabled person cannot sign in; their tokens do not work.")
    is_operator: Sent[StrictBool] = None
    email_verified: Sent[StrictBool] = Field(
        None, description="You know that the address is theirs. Single sign-on is linked to verified addresses alone."
    )


class InvitationCreate(WireIn):
    """A link that lets one person join; `email` is a note for whom it is meant and must then match."""

    workspace_id: Id | None = None
    role: Role = Role.MEMBER
    email: Email | None = None
    ttl_hours: Annotated[StrictInt, Field(ge=1, le=720)] = 168


class Invitation(Wire):
    id: str
    workspace_id: str
    role: Role
    email: str | None
    created_by: str
    created_at: Time
    expires_at: Time
    accepted_at: Time | None = None
    accepted_by: str | None = None
    revoked_at: Time | None = None


class InvitationCreated(Invitation):
    """The only answer that holds the link."""

    url: str


class InvitationPreview(Wire):
    """What somebody with the link sees before joining."""

    workspace_name: str
    role: Role
    email: str | None
    invited_by: str
    expires_at: Time


class InvitationToken(WireIn):
    token: Annotated[str, StringConstraints(min_length=20, max_length=200)]


class InvitationAccept(InvitationToken):
    """Join. Somebody who is signed in sends the token alone; somebody new also says who they are."""

    name: Name | None = None
    email: Email | None = None
    password: Password | None = None


class ApiToken(Wire):
    """An API token without its secret."""

    id: str
    name: str
    person_id: str
    workspace_id: str | None
    scopes: list[Scope]
    hint: str
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None
    last_used_from: str | None
    revoked_at: Time | None = None


class ApiTokenCreate(WireIn):
    name: Name
    workspace_id: Id | None = Field(
        None, description="Bind the token to one workspace; absent leaves it to all of its owner's."
    )
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=30)]
    expires_in_days: Annotated[StrictInt, Field(ge=1, le=3650)] | None = Field(90, description="null never expires.")


class ApiTokenUpdate(WireIn):
    name: Name


class ApiTokenCreated(ApiToken):
    """The only answer that holds the token; it is not kept and cannot be shown again."""

    token: str


class SignInSession(Wire):
    """One browser that is signed in."""

    id: str
    current: bool
    created_at: Time
    last_seen_at: Time
    expires_at: Time
    address: str
    browser: str = Field(description="What it is called, such as `Firefox on Linux`.")
    user_agent: str


class PasswordChange(WireIn):
    current_password: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="Needed where the account has a password."
    )
    new_password: Password


class PasswordReset(WireIn):
    """Set a new password with the link of `opencto people reset-password`."""

    token: Annotated[str, StringConstraints(min_length=20, max_length=200)]
    new_password: Password


class AccountUpdate(WireIn):
    name: Name


class SecondFactorSetup(Wire):
    """What an authenticator app needs; the second factor is on once a code of it has been confirmed."""

    secret: str
    otpauth_url: str
    qr_svg: str


class SecondFactorConfirm(WireIn):
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class SecondFactorOn(Wire):
    """Ten codes for the day the phone is lost. Each works once; they are shown this once."""

    recovery_codes: list[str]


class SecondFactorState(Wire):
    """Whether a code is asked for after the password."""

    enabled_at: Time | None = Field(description="null where it is off.")
    recovery_codes_left: int


class FactorProof(WireIn):
    """Your password or the six digits of the app, one of the two."""

    password: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "FactorProof":
        if (self.password is None) == (self.code is None):
            raise ValueError("must hold `password` or `code`, one of the two")
        return self


class LinkedIdentity(Wire):
    """Who you are at a single sign-on issuer."""

    id: str
    issuer: str
    subject: str = Field(description="What the issuer calls you.")
    in_use: bool = Field(description="Whether this server signs people in with that issuer now.")
    linked_at: Time


class PasswordProof(WireIn):
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
