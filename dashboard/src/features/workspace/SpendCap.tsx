import { useQueryClient } from "@tanstack/react-query";

import { limitsKey, useLimits, useUsage, type WorkspaceLimits } from "~/api/figures";
import { useMay, useWorkspaceId } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { TextField } from "~/ui/Field";
import { Ago, Badge, type BadgeTone } from "~/ui/Figures";
import { longDay, money, plural, utcDay } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Notice, ProblemNotice } from "~/ui/Notice";
import { Section } from "~/ui/Page";
import { useSay } from "~/ui/Said";
import { SourceLine } from "~/ui/Source";
import { useDraft } from "~/ui/useDraft";
import { useSubmit } from "~/ui/useSubmit";

import { changeLimits } from "./api";
import { Meter } from "./Meter";
import { lastMonth, wouldHaveRefused } from "./refused";

type Spend = WorkspaceLimits["spend"];

const STATES: Record<Spend["state"], [BadgeTone, string]> = {
  uncapped: ["plain", "no cap"],
  ok: ["good", "within the cap"],
  warning: ["caution", "near the cap"],
  reached: ["danger", "cap reached: calls are refused"],
};

export function SpendCap() {
  const limits = useLimits(useWorkspaceId());
  return (
    <Section title="Spend cap" note="For a calendar month (UTC). When it is reached, calls that cost money are refused until the next one.">
      <Loaded query={limits}>{({ spend }) => <Cap spend={spend} />}</Loaded>
    </Section>
  );
}

function Cap({ spend }: { spend: Spend }) {
  const mayWrite = useMay("admin");
  const [tone, word] = STATES[spend.state];
  return (
    <>
      <p className="row">
        <strong>{money(spend.spentUsd)}</strong> {spend.monthlyUsd ? `of ${money(spend.monthlyUsd)}` : "spent this month"} <Badge tone={tone}>{word}</Badge>
        <span className="help">
          starts anew <Ago at={spend.resetsAt} />
        </span>
      </p>
      {spend.monthlyUsd && <Meter label="Spent of the cap" value={Number(spend.spentUsd)} most={Number(spend.monthlyUsd)} tone={spend.state} />}
      {spend.unpricedCalls > 0 && <p className="help">{plural(spend.unpricedCalls, "call")} without a known price are not in it.</p>}
      {mayWrite && <CapForm spend={spend} />}
    </>
  );
}

function CapForm({ spend }: { spend: Spend }) {
  const ws = useWorkspaceId();
  const say = useSay();
  const queries = useQueryClient();
  const { values, write, settle, forget } = useDraft({ usd: spend.monthlyUsd ?? "" });
  const stales = [limitsKey(ws)];
  const keep = (limits: WorkspaceLimits) => queries.setQueryData(limitsKey(ws), limits);
  const undo = useSubmit({
    send: (before: string | null) => changeLimits(ws, { monthlyUsd: before }),
    stales,
    onDone: (limits) => {
      keep(limits);
      forget();
      say("Spend cap: as before.");
    },
  });
  // The cap to go back to is taken along when it is sent: the page learns the new one before anybody presses Undo.
  const saving = useSubmit({
    send: ({ usd }: { usd: string; before: string | null }) => changeLimits(ws, { monthlyUsd: usd.trim() || null }),
    stales,
    onDone: (limits, { usd, before }) => {
      keep(limits);
      settle({ usd });
      undo.reset();
      const { monthlyUsd } = limits.spend;
      say(monthlyUsd === null ? "The spend cap is gone." : `The cap is ${money(monthlyUsd)} now.`, () => undo.submit(before));
    },
  });
  const problem = saving.problem ?? undo.problem;
  return (
    <form
      aria-label="Spend cap"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!saving.busy) saving.submit({ usd: values.usd, before: spend.monthlyUsd });
      }}
    >
      {problem && problem.errors.length === 0 && <ProblemNotice failure={problem} />}
      <TextField
        label="US dollars a month"
        inputMode="decimal"
        value={values.usd}
        placeholder="no cap"
        help="Empty takes the cap away."
        onChange={(event) => write({ usd: event.target.value })}
        error={saving.errorOf("monthlyUsd")}
      />
      <LastMonth cap={Number(values.usd)} />
      <Button type="submit" tone="primary" busy={saving.busy}>
        Save
      </Button>
    </form>
  );
}

/** What the typed cap would have done last month. */
function LastMonth({ cap }: { cap: number }) {
  const { start, end } = lastMonth(utcDay());
  const usage = useUsage(useWorkspaceId(), start, end);
  if (!usage.data || !(cap > 0)) return null;
  const { reachedOn, requestsAfter, spent, requests } = wouldHaveRefused(usage.data, cap);
  const text =
    reachedOn === null
      ? `It would have refused nothing last month: ${money(spent)} for ${plural(requests, "request")}.`
      : `Last month it would have been reached on ${longDay(reachedOn)}, and the ${plural(requestsAfter, "request")} of the days after it refused.`;
  return (
    <Notice tone={reachedOn === null ? "plain" : "caution"} role="status">
      <p>{text}</p>
      <p className="help">
        <SourceLine report={usage.data} />
      </p>
    </Notice>
  );
}
