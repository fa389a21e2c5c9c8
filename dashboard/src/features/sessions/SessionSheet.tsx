import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { useHere, useMay } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Confirm";
import { DataTable } from "~/ui/DataTable";
import { Ago, Facts } from "~/ui/Figures";
import { count, money } from "~/ui/format";
import { Icon } from "~/ui/icons";
import { Loaded } from "~/ui/Loading";
import { useSay } from "~/ui/Said";
import { Sheet } from "~/ui/Sheet";
import { useItem } from "~/ui/useItem";
import { useSubmit } from "~/ui/useSubmit";

import { deleteSession, exportAddress, SESSIONS, type SessionDetail, useVoiceSession } from "./api";
import { State } from "./SessionsPage";
import { Transcript } from "./Transcript";
import { lengthOf, METRICS } from "./words";

export function SessionSheet() {
  const id = useItem();
  const navigate = useNavigate();
  const close = () => void navigate({ to: "/sessions", search: (now: object) => now });
  const session = useVoiceSession(id);
  return (
    <Sheet title={session.data ? `Session of ${session.data.personName}` : "Session"} note={session.data && new Date(session.data.createdAt).toLocaleString()} onClose={close}>
      <Loaded query={session} lines={8} gone="There is no such session any more, or it is not yours to read.">
        {(found) => <Details session={found} onDeleted={close} />}
      </Loaded>
    </Sheet>
  );
}

function Details({ session, onDeleted }: { session: SessionDetail; onDeleted: () => void }) {
  const { usage } = session;
  return (
    <>
      <Facts
        rows={[
          ["State", <State session={session} key="state" />],
          ["Lasted", lengthOf(session)],
          ["Cost", `${money(usage.cost)}${usage.unpricedResponses > 0 ? `, and ${count(usage.unpricedResponses)} answers without a known price` : ""}`],
          ["Tokens in", `${count(usage.inputTokens)}, of them ${count(usage.inputAudioTokens)} audio and ${count(usage.cachedInputTokens)} cached`],
          ["Tokens out", `${count(usage.outputTokens)}, of them ${count(usage.outputAudioTokens)} audio`],
          ["Counted by", "the client: the audio does not pass through this server"],
          ["Model, voice", `${session.model}, ${session.voice}`],
          ["Key", session.keySource],
        ]}
      />
      <Transcript session={session} />
      <section className="stack" aria-label="Latency">
        <h3>Latency</h3>
        <DataTable
          label="Latency"
          columns={[
            { name: "Measured", cell: (one) => METRICS[one.metric] },
            { name: "Half within", number: true, cell: (one) => `${count(Math.round(one.p50))} ms` },
            { name: "95 % within", number: true, cell: (one) => `${count(Math.round(one.p95))} ms` },
            { name: "Times", number: true, cell: (one) => count(one.measurements) },
          ]}
          rows={session.latency}
          keyOf={(one) => one.metric}
          empty={<p className="soft">Nothing was measured: the client told of no times. The page Talk and <code>opencto talk</code> do, once there was an answer.</p>}
        />
      </section>
      {session.failures.length > 0 && (
        <section className="stack" aria-label="Errors">
          <h3>Errors</h3>
          <ul className="lines">
            {session.failures.map((one) => (
              <li key={`${one.at} ${one.code}`}>
                <span className="bad">
                  <Icon name="alert" />
                </span>
                <span className="line-what">
                  <code>{one.code}</code>
                  <span>{one.message}</span>
                </span>
                <Ago at={one.at} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <Actions session={session} onDeleted={onDeleted} />
    </>
  );
}

function Actions({ session, onDeleted }: { session: SessionDetail; onDeleted: () => void }) {
  const { person } = useHere();
  const isAdmin = useMay("admin");
  const say = useSay();
  const [isDeleting, setDeleting] = useState(false);
  const { submit, busy, problem } = useSubmit({
    send: () => deleteSession(session.id),
    stales: [SESSIONS],
    onDone: () => {
      say("The session is deleted.");
      onDeleted();
    },
  });
  return (
    <div className="row">
      {(["markdown", "text", "json"] as const).map((format) => (
        <a className="button small" key={format} href={exportAddress(session.id, format)} download>
          <Icon name="download" size={16} />
          {format === "json" ? "JSON" : format === "text" ? "Text" : "Markdown"}
        </a>
      ))}
      {(isAdmin || session.personId === person.id) && (
        <Button small tone="danger" onClick={() => setDeleting(true)}>
          Delete
        </Button>
      )}
      {isDeleting && (
        <Confirm title="Delete this session" verb="Delete for good" busy={busy} problem={problem} onConfirm={() => submit(undefined)} onClose={() => setDeleting(false)}>
          <p>Its transcript, tools and measurements go, and nobody can bring them back. What it cost stays in the ledger.</p>
        </Confirm>
      )}
    </div>
  );
}
