import { Button } from "~/ui/Button";
import { Ago, Badge, Facts } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { ProblemNotice } from "~/ui/Notice";
import { Sheet } from "~/ui/Sheet";

import { type SignIn, useSignIn } from "./api";
import { Gone } from "./Gone";
import { useEndSignIn } from "./SignIns";

export function SignInSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const signIn = useSignIn(id);
  return (
    <Sheet title={signIn.data?.browser ?? "Sign-in"} note={signIn.data && "Where you are signed in"} onClose={onClose}>
      <Loaded query={signIn} gone={<Gone>There is no such sign-in of yours, or not any more.</Gone>}>
        {(found) => <Details signIn={found} onEnded={onClose} />}
      </Loaded>
    </Sheet>
  );
}

function Details({ signIn, onEnded }: { signIn: SignIn; onEnded: () => void }) {
  const { submit, busy, problem } = useEndSignIn(onEnded);
  return (
    <>
      <Facts
        rows={[
          ["Which", signIn.current ? <Badge tone="accent" key="which">this one</Badge> : "another one"],
          ["From", <code key="from">{signIn.address}</code>],
          ["Since", <Ago at={signIn.createdAt} key="since" />],
          ["Last seen", <Ago at={signIn.lastSeenAt} key="seen" />],
          ["Ends at the latest", <Ago at={signIn.expiresAt} key="ends" />],
          ["Calls itself", <span className="small" key="agent">{signIn.userAgent || "nothing"}</span>],
        ]}
      />
      {problem && <ProblemNotice failure={problem} />}
      {signIn.current ? (
        <p className="help">You see this page with it. To end it, sign out in the menu of your account.</p>
      ) : (
        <div className="stack">
          <p className="help">If you do not know it, sign it out and change your password, which ends all others too.</p>
          <div>
            <Button tone="danger" busy={busy} onClick={() => submit(signIn.id)}>
              Sign out
            </Button>
          </div>
        </div>
      )}
    </>
  );
}
