import { orderOf } from "~/ui/orderOf";
import { type ListSearch, useListState } from "~/ui/useListState";

const BYS = ["day", "model", "project", "surface", "person"] as const;

export type By = (typeof BYS)[number];

/** What the address groups by: days where it says nothing, or what there is not. */
export const byOf = (search: ListSearch): By => BYS.find((by) => by === search.by) ?? "day";

/** What the server sorts figures by. */
const SORTS = ["key", "requests", "inputTokens", "outputTokens", "cost"].map((sort) => ({ sort }));

export const known = (sort: string | undefined): string | undefined => orderOf(SORTS, sort, undefined);

/** Days the newest first, everything else the dearest, unless the address says otherwise. */
export const sortOf = (search: ListSearch, by: By): string => known(search.sort) ?? (by === "day" ? "-key" : "-cost");

export const useSort = (by: By): string => sortOf(useListState()[0], by);
