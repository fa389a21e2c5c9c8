import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";

interface Page<Row> {
  data: Row[];
  nextCursor?: string | null;
}

/** A list that the server sorts, narrows and pages. `more` is absent when everything is shown. */
export function usePages<Row>(queryKey: readonly unknown[], fetchPage: (cursor: string | undefined) => Promise<Page<Row>>) {
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => fetchPage(pageParam),
    initialPageParam: undefined as string | undefined,
    placeholderData: keepPreviousData, // the rows stay while they are sorted or narrowed anew, and with them the focus
    getNextPageParam: (last: Page<Row>) => last.nextCursor ?? undefined,
  });
  const rows = query.data?.pages.flatMap((page) => page.data);
  return {
    query: { data: rows, error: query.error, isPending: query.isPending, refetch: () => query.refetch() },
    more: query.hasNextPage ? { busy: query.isFetchingNextPage, load: () => void query.fetchNextPage() } : undefined,
  };
}
