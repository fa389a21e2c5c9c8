"""The claim, signing in and out, and what a person changes about their own account."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Cookie, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from opencto.core.describe import Answer, describe, fails_with
from opencto.core.problems import Forbidden, NotFound
from opencto.core.secret import Secret
from opencto.core.settings import Settings
from opencto.identity import access
from opencto.identity.authentication import SESSION_COOKIE
from opencto.identity.cookies import keep_cookie
from opencto.identity.dependencies import Identity
from opencto.identity.devices import DEVICE_COOKIE, DEVICE_DAYS
from opencto.identity.errors import (
    AccountChanged,
    AlreadyClaimed,
    LinkRefused,
    PasswordNeeded,
    ProofRefused,
    SecondFactorAlreadyOn,
    SecondFactorOff,
    SecondFactorRequired,
    SignInBusy,
    SignInRefused,
    SignInSlowed,
)
from opencto.identity.guard import CurrentCaller, GuardedRoute, HotRoute, MaybeCaller, origin_of
from opencto.identity.listing import SearchListing
from opencto.identity.oidc import COOKIE_PATH, MINUTES, OIDC_COOKIE, OidcTrouble, Returned
from opencto.identity.services import IdentityServices
from opencto.identity.signin import SignedIn
from opencto.identity.work import Work
from opencto.wire.base import Page
from opencto.wire.identity import (
    AccountUpdate,
    AuthSession,
    Claim,
    Done,
    Id,
    Login,
    PasswordChange,
    PasswordProof,
    PasswordReset,
    SecondFactorConfirm,
    SecondFactorOn,
    SecondFactorSetup,
    SignInSession,
)

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/auth", tags=["sign-in"])

SessionId = Annotated[Id, Path(description="The sign-in's id.")]


_SLOW = (SignInSlowed, SignInBusy)
"""How tries of a password are answered when there are too many."""


def _keep_signed_in(response: Response, signed_in: SignedIn, settings: Settings) -> Response:
    keep_cookie(response, SESSION_COOKIE, signed_in.session.reveal(), settings.session_days * 86_400, settings)
    keep_cookie(response, DEVICE_COOKIE, signed_in.device, DEVICE_DAYS * 86_400, settings)
    return response


def _json(answer: AuthSession | Done) -> Response:
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")


@describe(
    "Who is asking",
    tags=["sign-in"],
    answers={200: Answer(AuthSession, "Who is asking. Without a valid credential `signedIn` is false.")},
    failures=[Forbidden],
)
@access.open_to_all("whether you are signed in, and whether anybody owns the server", before_claim=True)
async def show_session(request: Request) -> Response:
    services: IdentityServices = request.app.state.identity
    return _json(await services.sessions.ask(request.scope["state"]["caller"]))


router.routes.append(HotRoute("/api/v1/auth/session", show_session))


@router.post("/claim", response_model=AuthSession, responses=fails_with(LinkRefused, AlreadyClaimed, *_SLOW))
@access.open_to_all("the one-time link of the terminal is the credential", before_claim=True)
def claim(body: Claim, request: Request, services: Identity) -> Response:
    """Take the server with the link that its terminal printed, and sign in."""
    is_loopback = bool(request.scope["state"]["is_loopback"])
    signed_in = services.sign_in.with_claim(body, origin_of(request), is_loopback=is_loopback)
    return _keep_signed_in(_json(signed_in.answer), signed_in, services.settings)


@router.post("/login", response_model=AuthSession, responses=fails_with(SignInRefused, SecondFactorRequired, *_SLOW))
@access.open_to_all("the password is the credential")
def login(
    body: Login,
    request: Request,
    services: Identity,
    device: Annotated[str | None, Cookie(alias=DEVICE_COOKIE, include_in_schema=False)] = None,
) -> Response:
    """Sign in. With the second factor on and no code: 401 SECOND_FACTOR_REQUIRED; send the same again with `code`."""
    signed_in = services.sign_in.with_password(body, origin_of(request), device)
    return _keep_signed_in(_json(signed_in.answer), signed_in, services.settings)


@router.post("/logout", response_model=Done)
@access.signed_in(session_only=True)
def logout(caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Sign this browser out."""
    response = work.commit(None, lambda tx: services.sessions.sign_out(tx, caller))
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


@router.post("/reset", response_model=Done, responses=fails_with(LinkRefused, *_SLOW))
@access.open_to_all("the one-time link of the command line is the credential")
def reset_password(body: PasswordReset, request: Request, services: Identity) -> Response:
    """Set a new password with the link of `opencto people reset-password`; every browser is signed out."""
    return _json(services.sign_in.reset(body, origin_of(request)))


@router.get("/sessions")
@access.signed_in(session_only=True)
def list_sessions(caller: CurrentCaller, services: Identity, asked: SearchListing) -> Page[SignInSession]:
    """Your browsers that are signed in, last seen first. Sort by lastSeenAt, createdAt, browser or address; `q` finds a part of the last two."""
    with services.database.read() as tx:
        return services.sessions.list(tx, caller, asked)


@router.delete("/sessions", response_model=Done)
@access.signed_in(session_only=True)
def revoke_other_sessions(caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Sign every other browser of yours out."""
    return work.commit(None, lambda tx: services.sessions.revoke_others(tx, caller))


@router.get("/sessions/{session_id}")
@access.signed_in(session_only=True)
def get_session(session_id: SessionId, caller: CurrentCaller, services: Identity) -> SignInSession:
    """One browser of yours that is signed in."""
    with services.database.read() as tx:
        return services.sessions.get(tx, caller, session_id)


@router.delete("/sessions/{session_id}", response_model=Done)
@access.signed_in(session_only=True)
def revoke_session(session_id: SessionId, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Sign one browser of yours out."""
    return work.commit(None, lambda tx: services.sessions.revoke(tx, caller, session_id))


@router.patch("/account", response_model=AuthSession)
@access.signed_in(session_only=True)
def update_account(body: AccountUpdate, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Change your name."""
    return work.commit(body, lambda tx: services.sessions.rename(tx, caller, body.name))


@router.put("/password", response_model=Done, responses=fails_with(ProofRefused, AccountChanged, *_SLOW))
@access.signed_in(session_only=True)
def change_password(body: PasswordChange, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Change your password; every other browser of yours is signed out."""
    before = work.remembered(body)
    if before is not None:
        return before
    proven = services.sign_in.prove(caller, body.current_password)
    hashed = services.sign_in.hash_password(Secret(body.new_password))
    return work.commit(body, lambda tx: services.passwords.change(tx, caller, proven, hashed))


@router.post(
    "/second-factor",
    response_model=SecondFactorSetup,
    responses=fails_with(ProofRefused, SecondFactorAlreadyOn, PasswordNeeded, *_SLOW),
)
@access.signed_in(session_only=True)
def begin_second_factor(body: PasswordProof, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """A secret for your authenticator app. Nothing is on until you confirm a code of it."""
    before = work.remembered(body)
    if before is not None:
        return before
    services.sign_in.prove(caller, body.password)
    return work.commit(body, lambda tx: services.second_factor.begin(tx, caller))


@router.post(
    "/second-factor/confirm",
    response_model=SecondFactorOn,
    responses=fails_with(ProofRefused, SecondFactorAlreadyOn, SecondFactorOff, SignInSlowed),
)
@access.signed_in(session_only=True)
def confirm_second_factor(body: SecondFactorConfirm, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Turn the second factor on with a code of the app. Gives ten recovery codes, this once."""
    before = work.remembered(body)
    if before is not None:
        return before
    services.sign_in.slow_proof(caller)
    return work.commit(body, lambda tx: services.second_factor.confirm(tx, caller, body.code))


@router.delete("/second-factor", response_model=Done, responses=fails_with(ProofRefused, SecondFactorOff, *_SLOW))
@access.signed_in(session_only=True)
def turn_off_second_factor(body: PasswordProof, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Turn the second factor off, with your password."""
    before = work.remembered(body)
    if before is not None:
        return before
    services.sign_in.prove(caller, body.password)
    return work.commit(body, lambda tx: services.second_factor.turn_off(tx, caller))


_REDIRECT: dict[int | str, dict[str, Any]] = {
    302: {"description": "Where to go on: the issuer, the dashboard, or `/login?problem=CODE&request=ID`."},
    **fails_with(NotFound),
}


def _trouble(trouble: OidcTrouble, request: Request) -> Response:
    """To the page that says what happened, with the id by which the log knows this request."""
    told = urlencode({"problem": trouble.code, "request": origin_of(request).request_id})
    response = RedirectResponse(f"/login?{told}", 302)
    response.delete_cookie(OIDC_COOKIE, path=COOKIE_PATH)
    return response


def _require_oidc(services: Identity) -> None:
    if not services.oidc.is_on:
        raise NotFound("Single sign-on is not set up on this server. The operator's settings begin with OPENCTO_OIDC_.")


@router.get("/oidc/start", response_class=RedirectResponse, status_code=302, responses=_REDIRECT)
@access.open_to_all("sends the browser to the issuer")
def start_oidc(
    request: Request,
    caller: MaybeCaller,
    services: Identity,
    link: Annotated[
        bool, Query(description="true links the identity to the account that is signed in in this browser.")
    ] = False,
) -> Response:
    """Sign in at the issuer."""
    _require_oidc(services)
    try:
        if link and (caller is None or caller.via != "session"):
            raise OidcTrouble("OIDC_OUT_OF_DATE")
        departing = services.oidc.start(caller if link else None)
    except OidcTrouble as trouble:
        return _trouble(trouble, request)
    response = RedirectResponse(departing.url, 302)
    keep_cookie(response, OIDC_COOKIE, departing.cookie, MINUTES * 60, services.settings, COOKIE_PATH)
    return response


@router.get("/oidc/callback", response_class=RedirectResponse, status_code=302, responses=_REDIRECT)
@access.open_to_all("the issuer sends the browser back here; state, nonce and PKCE are checked")
def finish_oidc(
    request: Request,
    caller: MaybeCaller,
    services: Identity,
    state: Annotated[str | None, Query(max_length=500)] = None,
    code: Annotated[str | None, Query(max_length=4000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
    iss: Annotated[str | None, Query(max_length=500)] = None,
    sealed: Annotated[str | None, Cookie(alias=OIDC_COOKIE, include_in_schema=False)] = None,
) -> Response:
    """Back from the issuer: to the dashboard, or to the login page with the reason why not."""
    _require_oidc(services)
    try:
        signed_in = services.oidc.finish(Returned(state, code, error, iss), sealed, caller, origin_of(request))
    except OidcTrouble as trouble:
        return _trouble(trouble, request)
    response = RedirectResponse("/account" if signed_in is None else "/", 302)
    response.delete_cookie(OIDC_COOKIE, path=COOKIE_PATH)
    return response if signed_in is None else _keep_signed_in(response, signed_in, services.settings)
