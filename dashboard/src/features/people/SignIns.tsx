import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { type Column, DataTable } from "~/ui/DataTable";
import { Ago, Badge } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { ProblemNotice } from "~/ui/Notice";
import { orderOf } from "~/ui/orderOf";
import { Empty, Section } from "~/ui/Page";
import { SearchBox } from "~/ui/SearchBox";
import { useSay } from "~/ui/Said";
import { useListState } from "~/ui/useListState";
import { usePages } from "~/ui/usePages";
import { useSubmit } from "~/ui/useSubmit";

import { endSignIn, fetchSignIns, SIGN_INS, type SignIn, useSecondFactor } from "./api";

const COLUMNS: readonly Column<SignIn>[] = [
  { name: "Browser", sort: "browser", cell: (one) => <span title={one.userAgent}>{one.browser} {one.current && <Badge tone="accent">this one</Badge>}</span> },
  { name: "From", sort: "address", cell: (one) => <code>{one.address}</code> },
  { name: "Last seen", sort: "lastSeenAt", cell: (one) => <Ago at={one.lastSeenAt} /> },
  { name: "Since", sort: "createdAt", cell: (one) => <Ago at={one.createdAt} /> },
];

export function useEndSignIn(onEnded?: () => void) {
  const say = useSay();
  return useSubmit({
    send: endSignIn,
    stales: [SIGN_INS],
    onDone: () => {
      say("That browser is signed out.");
      onEnded?.();
    },
  });
}

/** Where you are signed in, and the second factor. */
export function SignIns() {
  const { person } = useHere();
  const factor = useSecondFactor();
  const [search, change] = useListState();
  const q = search.signInsWith ?? "";
  const sort = orderOf(COLUMNS, search.signIns, "-lastSeenAt");
  const { query, more } = usePages([...SIGN_INS, q, sort], (cursor) => fetchSignIns(q, sort, cursor));
  const { submit, busy, problem } = useEndSignIn();
  return (
    <Section
      title="Your sign-ins"
      note={person.email ?? undefined}
      actions={
        <a className="button" href="/account">
          Password and second factor
        </a>
      }
    >
      <Loaded query={factor}>
        {({ enabledAt, recoveryCodesLeft }) => (
          <p className="row">
            Second factor:
            {enabledAt ? (
              <>
                <Badge tone="good">on</Badge> <span className="help">{recoveryCodesLeft} recovery codes are left.</span>
              </>
            ) : (
              <>
                <Badge tone="caution">off</Badge> <span className="help">A code of an app after the password keeps a stolen password useless.</span>
              </>
            )}
          </p>
        )}
      </Loaded>
      {problem && <ProblemNotice failure={problem} />}
      <div className="tools">
        <SearchBox label="Search sign-ins" value={q} onChange={(text) => change({ signInsWith: text })} />
      </div>
      <Loaded query={query}>
        {(rows) => (
          <DataTable
            label="Your sign-ins"
            columns={COLUMNS}
            rows={rows}
            keyOf={(one) => one.id}
            open={(one) => `/people/${one.id}`}
            empty={q ? <Empty title="No sign-in is called that">Take the search away to see all.</Empty> : <Empty title="No sign-ins">You came with a token, or they have all ended. Sign in again to see this browser here.</Empty>}
            sort={{ now: sort, change: (next) => change({ signIns: next }) }}
            more={more}
            action={(one) =>
              !one.current && (
                <Button small busy={busy} onClick={() => submit(one.id)} aria-label={`Sign out ${one.browser} at ${one.address}`}>
                  Sign out
                </Button>
              )
            }
          />
        )}
      </Loaded>
    </Section>
  );
}
