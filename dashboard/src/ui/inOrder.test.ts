import { expect, test } from "vitest";

import { inOrder } from "./inOrder";

interface Row {
  name: string;
  cost: string | null;
}
const COLUMNS = [
  { sort: "name", by: (row: Row) => row.name },
  { sort: "cost", by: (row: Row) => (row.cost === null ? null : Number(row.cost)) },
  { sort: "elsewhere" },
];
const ROWS: readonly Row[] = [
  { name: "gpt-10", cost: "9" },
  { name: "GPT-9", cost: null },
  { name: "ash", cost: "10.5" },
  { name: "birch", cost: "9" },
];
const names = (sort: string) => inOrder(ROWS, COLUMNS, sort).map((row) => row.name);

test("names go as people read them, figures as figures", () => {
  expect(names("name")).toEqual(["ash", "birch", "GPT-9", "gpt-10"]);
  expect(names("-cost")).toEqual(["ash", "gpt-10", "birch", "GPT-9"]);
});

test("what is not known is last both ways, and rows that are alike stay as they came", () => {
  expect(names("cost")).toEqual(["gpt-10", "birch", "ash", "GPT-9"]);
});

test("an order that the page does not know changes nothing", () => {
  expect(names("")).toEqual(ROWS.map((row) => row.name));
  expect(names("-elsewhere")).toEqual(ROWS.map((row) => row.name));
});
