// Why a sign-in at the issuer did not work; the server leads back with ?problem=CODE&request=ID.
import { ApiProblem } from "./api.js";

const WORDS = {
  OIDC_UNREACHABLE: "The sign-in provider does not answer. Try again shortly, or sign in with a password.",
  OIDC_CANCELLED: "The sign-in was cancelled at the provider.",
  OIDC_OUT_OF_DATE: "That sign-in took too long or was begun in another browser. Try again.",
  OIDC_REFUSED: "The answer of the sign-in provider could not be trusted. Tell whoever runs the server.",
  OIDC_EMAIL_UNVERIFIED: "Your address is not verified at the sign-in provider. Verify it there, then try again.",
  OIDC_NOT_ALLOWED: "Single sign-on worked, but your address may not join here. Ask whoever runs the server.",
  OIDC_ACCOUNT_EXISTS: "Your address has an account with a password. Sign in with that, then link single sign-on to it.",
  OIDC_OTHER_ACCOUNT: "That identity belongs to another account here.",
  OIDC_ADDRESS_UNCONFIRMED: "Nobody has confirmed yet that the address of your account is yours. Ask whoever runs the server to do so, then link again.",
  ACCOUNT_DISABLED: "Your account is disabled. Ask whoever runs the server.",
  NOT_CLAIMED: "Nobody owns this server yet. Open the claim link that its terminal printed.",
  RATE_LIMITED: "Too many sign-ins in a short time. Wait a minute, then try again.",
};

const OTHER = "Single sign-on did not work. Try again, or sign in with a password.";

// Anybody can write an address: nothing of it is shown but an id of the shape that the server gives them.
const REQUEST_ID = /^req_[0-9a-hjkmnp-tv-z]{26}$/;

// What the address of this page tells of, null where it tells of nothing.
export const signOnProblem = toldOf(new URLSearchParams(location.search));

function toldOf(search) {
  const [code, id] = [search.get("problem"), search.get("request") ?? ""];
  if (!code) return null;
  return new ApiProblem({ status: 0, code, detail: WORDS[code.toUpperCase()] ?? OTHER, requestId: REQUEST_ID.test(id) ? id : null });
}

// The same for the address of another page.
export const asQuery = ({ code, requestId }) => new URLSearchParams({ problem: code, ...(requestId ? { request: requestId } : {}) }).toString();
