import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** What a sheet says of a row that is not there, and the way back to those that are. */
export function Gone({ children }: { children: ReactNode }) {
  return (
    <>
      {children}{" "}
      <Link to="/people" search={(now: object) => now}>
        See the others
      </Link>
      .
    </>
  );
}
