import { useApproval } from "~/api/approvals";
import { useWorkspaceId } from "~/api/workspace";
import { ApprovalAsk } from "~/ui/ApprovalAsk";
import { Loaded } from "~/ui/Loading";

/** The yes that a call of this conversation needs, or needed. */
export function Waiting({ approvalId, onDecided }: { approvalId: string; onDecided: () => void }) {
  const approval = useApproval(useWorkspaceId(), approvalId);
  return (
    <Loaded query={approval} lines={2}>
      {(found) => <ApprovalAsk approval={found} onDecided={onDecided} />}
    </Loaded>
  );
}
