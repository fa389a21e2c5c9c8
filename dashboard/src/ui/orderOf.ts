/** The order that the address asks for, or the usual one where no column of the table is called that. */
export function orderOf(columns: readonly { sort?: string }[], asked: string | undefined, usual: string): string {
  const isOffered = asked !== undefined && columns.some(({ sort }) => sort === asked.replace(/^-/, ""));
  return isOffered ? asked : usual;
}
