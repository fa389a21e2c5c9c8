import { Outlet } from "@tanstack/react-router";

import { type ModelCatalogue, type ModelsAsked, useModels, useUsage } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { type Column, DataTable } from "~/ui/DataTable";
import { Badge } from "~/ui/Figures";
import { count, longDay, money, plural, utcDay } from "~/ui/format";
import { SelectField } from "~/ui/Field";
import { Loaded } from "~/ui/Loading";
import { ProblemNotice } from "~/ui/Notice";
import { orderOf } from "~/ui/orderOf";
import { Empty, Page, Section } from "~/ui/Page";
import { SearchBox } from "~/ui/SearchBox";
import { type ListSearch, useListState } from "~/ui/useListState";

import { asUsed, type ModelRow, rowsOf } from "./rows";

export { ModelSheet } from "./ModelSheet";

const CAPABILITIES = ["realtime", "chat", "responses", "transcription", "speech", "audio", "embeddings", "images", "video", "moderation", "completions"] as const;

const UNKNOWN = <span className="soft">not known</span>;

/** `isUsed`: whether it is known what was used; what is not known is not nothing. */
const columns = (isUsed: boolean): readonly Column<ModelRow>[] => [
  { name: "Model", sort: "id", cell: (row) => row.model.id },
  {
    name: "For",
    cell: (row) => (row.model.capabilities.length === 0 ? <span className="soft">not known</span> : row.model.capabilities.join(", ")),
  },
  {
    name: "Shuts down",
    sort: "shutdownDate",
    cell: (row) => (row.model.shutdownDate ? <ShutDown date={row.model.shutdownDate} /> : <span className="soft">no date</span>),
  },
  {
    name: "Used by",
    sort: "inUse",
    cell: (row) => (row.settings.length === 0 ? <span className="soft">nothing here</span> : <span>{row.settings.map((name) => <Setting key={name} name={name} />)}</span>),
  },
  { name: "Requests, 30 days", number: true, sort: "requests", cell: (row) => (row.used ? count(row.used.requests) : isUsed ? <span className="soft">0</span> : UNKNOWN) },
  { name: "Cost, 30 days", number: true, sort: "cost", cell: (row) => (row.used ? money(row.used.cost) : isUsed ? <span className="soft">–</span> : UNKNOWN) },
];

const Setting = ({ name }: { name: string }) => <code className="small">{name} </code>;

export function ShutDown({ date }: { date: string }) {
  const days = Math.ceil((Date.parse(`${date}T00:00:00Z`) - Date.parse(`${utcDay()}T00:00:00Z`)) / 86_400_000);
  const tone = days < 0 ? "danger" : days <= 60 ? "caution" : "plain";
  return (
    <Badge tone={tone}>
      {longDay(date)}
      {days < 0 ? ", gone" : days <= 60 ? `, in ${plural(days, "day")}` : ""}
    </Badge>
  );
}

/** By these the usage is asked for, by the others the models. */
const isOfUsage = (sort: string) => /^-?(requests|cost)$/.test(sort);

function askedOf(search: ListSearch, sort: string): ModelsAsked {
  const capability = CAPABILITIES.find((one) => one === search.for);
  return { ...(search.q ? { q: search.q } : {}), ...(capability ? { capability } : {}), ...(isOfUsage(sort) ? {} : { sort }) };
}

function lead({ data, warnings, inUse, keySource }: ModelCatalogue): string {
  const used = new Set(inUse.map((one) => one.model)).size;
  const ending = new Set(warnings.map((one) => one.model)).size;
  const end = ending === 0 ? "none of them ends within 60 days" : `${ending} of them ${ending === 1 ? "ends" : "end"} within 60 days`;
  return `${plural(data.length, "model")} ${data.length === 1 ? "answers" : "answer"} to ${keySource === "sandbox" ? "the sandbox" : `the ${keySource} key`}; settings here name ${used}, and ${end}.`;
}

export function ModelsPage() {
  const workspaceId = useWorkspaceId();
  const [search, change] = useListState();
  const sort = orderOf(columns(true), search.sort, "-requests");
  const all = useModels(workspaceId);
  const models = useModels(workspaceId, askedOf(search, sort));
  const usage = useUsage(workspaceId, utcDay(29), utcDay(), "model", isOfUsage(sort) ? sort : undefined);
  return (
    <Page title="Models" lead={all.data && lead(all.data)}>
      <Section title="What the key reaches">
        <div className="tools">
          <SearchBox label="Search models" value={search.q ?? ""} onChange={(q) => change({ q })} />
          <SelectField
            label="For"
            value={CAPABILITIES.find((one) => one === search.for) ?? ""}
            options={[{ value: "", label: "everything" }, ...CAPABILITIES.map((one) => ({ value: one, label: one }))]}
            onChange={(event) => change({ for: event.target.value })}
          />
        </div>
        {usage.data === undefined && usage.error && <ProblemNotice failure={usage.error} onRetry={() => void usage.refetch()} />}
        <Loaded query={models}>
          {(catalogue) => (
            <DataTable
              label="Models"
              columns={columns(usage.data !== undefined)}
              rows={isOfUsage(sort) ? asUsed(rowsOf(catalogue, usage.data), usage.data) : rowsOf(catalogue, usage.data)}
              keyOf={(row) => row.model.id}
              open={(row) => `/models/${encodeURIComponent(row.model.id)}`}
              sort={{ now: sort, change: (next) => change({ sort: next }) }}
              empty={<Empty title="No model is called that">Take the search or the filter away to see them all.</Empty>}
            />
          )}
        </Loaded>
      </Section>
      <Outlet />
    </Page>
  );
}
