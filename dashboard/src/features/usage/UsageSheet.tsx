import { useNavigate } from "@tanstack/react-router";

import { utcDay } from "~/ui/format";
import { Sheet } from "~/ui/Sheet";
import { useItem } from "~/ui/useItem";
import { useListState } from "~/ui/useListState";

import { DaySheet } from "./DaySheet";
import { GroupSheet } from "./GroupSheet";
import { groupOf } from "./groups";
import { isDay, rangeOf } from "./range";
import { ShareSheet } from "./ShareSheet";

/** What a row of the page opens, by its address: a day, or one model, project, surface or person in the days of the page. */
export function UsageSheet() {
  const item = useItem();
  const navigate = useNavigate();
  const [search] = useListState();
  const close = () => void navigate({ to: "/usage", search: (now: object) => now });
  if (isDay(item)) return <DaySheet day={item} onClose={close} />;
  const group = groupOf(item);
  if (group === undefined)
    return (
      <Sheet title="Nothing is there" onClose={close}>
        <p>This address means no day, model, project, surface or person. Close this and open a row of the table.</p>
      </Sheet>
    );
  const { kind, key } = group;
  const range = rangeOf(search, utcDay());
  if (kind === "surface" || kind === "person") return <ShareSheet by={kind} of={key} range={range} onClose={close} />;
  return <GroupSheet by={kind} of={key} range={range} onClose={close} />;
}
