import type { UsageReport } from "~/api/figures";
import { Facts, Figure } from "~/ui/Figures";
import { money, plural } from "~/ui/format";
import { Section } from "~/ui/Page";

/** OpenAI's bill beside our ledger, and what makes the difference. */
export function Compared({ report }: { report: UsageReport }) {
  const { metered, totals } = report;
  if (!metered) return null;
  const difference = Number(totals.cost ?? 0) - Number(metered.cost ?? 0);
  return (
    <Section title="The bill beside the ledger" note="What OpenAI bills, what OpenCTO metered for the same days, and why they differ.">
      <dl className="figures">
        <Figure label="OpenAI billed" value={money(totals.cost ?? "0")} />
        <Figure label="OpenCTO metered" value={money(metered.cost ?? "0")} />
        <Figure label="Difference" value={money(Math.abs(difference))} note={Math.abs(difference) < 0.01 ? "none" : difference > 0 ? "billed more than metered" : "metered more than billed"} />
      </dl>
      <Facts
        rows={[
          ["Billed and metered", money(metered.explained)],
          ["Billed, not metered", `${money(metered.unexplained)}: other programs in the project, or prices we do not know`],
          ["Metered, bill still grows", money(metered.late)],
          ["Metered, never billed", money(metered.unbilled)],
          ["Without a known price", plural(metered.unpricedCalls, "call")],
        ]}
      />
    </Section>
  );
}
