import { Link } from "@tanstack/react-router";

import { asProblem } from "~/api/problem";
import { type UsageReport, useUsage } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { money, utcDay } from "~/ui/format";
import { Icon } from "~/ui/icons";

const FROM: Record<UsageReport["source"], string> = {
  openai: "OpenAI's bill",
  ledger: "our ledger",
  sandbox: "the sandbox: nobody is billed",
};

/** What was spent today, always in sight: a place of its size while it is asked for, and a way to ask again when that failed. */
export function SpendToday() {
  const today = utcDay();
  const { data, error, isFetching, refetch } = useUsage(useWorkspaceId(), today, today);
  if (data === undefined && error)
    return (
      <button type="button" className="spend failed" title={asProblem(error).message} aria-disabled={isFetching || undefined} onClick={() => void refetch({ cancelRefetch: false })}>
        <Icon name="alert" size={18} />
        <span className="spend-word">Spend unknown: </span>
        {isFetching ? "Asking…" : "Retry"}
        <span className="sr"> reading what was spent today. {asProblem(error).message}</span>
      </button>
    );
  if (data === undefined)
    return (
      <span className="spend asked" role="status" aria-label="Asking what was spent today">
        <span aria-hidden="true">$0.00</span>
        <span className="spend-word" aria-hidden="true"> today</span>
      </span>
    );
  return (
    <Link to="/usage" className="spend" title={`Today (UTC), from ${FROM[data.source]}`}>
      <span className="sr">Spent </span>
      {money(data.totals.cost ?? "0")}
      <span className="soft spend-word"> today</span>
    </Link>
  );
}
