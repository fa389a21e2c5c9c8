/** The order that the address asks for, or the usual one where no column of the table is called that: people type addresses, and keep old ones. */
export function orderOf<Usual extends string | undefined>(columns: readonly { sort?: string }[], asked: string | undefined, usual: Usual): string | Usual {
  const isOffered = asked !== undefined && columns.some(({ sort }) => sort === asked.replace(/^-/, ""));
  return isOffered ? asked : usual;
}
