import { useParams } from "@tanstack/react-router";

/** The id of the row whose side sheet is open, from the address. */
export function useItem(): string {
  const params: unknown = useParams({ strict: false });
  return typeof params === "object" && params !== null && "item" in params && typeof params.item === "string" ? params.item : "";
}
