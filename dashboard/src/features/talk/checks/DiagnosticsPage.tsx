import "./checks.css";

import { useMay, useWorkspaceId } from "~/api/workspace";
import { useChanges } from "~/features/talk/current";
import { Insecure } from "~/features/talk/Insecure";
import { type Talk, talkOf } from "~/features/talk/talk";
import { Button } from "~/ui/Button";
import { Notice } from "~/ui/Notice";
import { Page } from "~/ui/Page";

import { type Checks, useChecks } from "./checks";
import { Installable } from "./Installable";
import { type Link, LINKS, type Verdict, whole } from "./verdicts";

const TITLES: Record<Link, [title: string, about: string]> = {
  microphone: ["Microphone", "Listens for four seconds: say a few words. Nothing is sent or kept."],
  echo: ["Echo", "Plays three notes and looks for them in the microphone. Be quiet meanwhile."],
  line: ["This server", "Calls this server eight times and takes the time."],
  model: ["Model", "Has a conversation of one word, aloud. With an OpenAI key it costs about a cent."],
  output: ["Loudspeaker", "Plays three notes and asks whether you heard them."],
};
const WORDS = { good: "Good", caution: "Weak", danger: "Broken" } as const;

/** Which link of a conversation is weak on this device: each is measured, and says what to do. */
export function DiagnosticsPage() {
  const talk = talkOf(useWorkspaceId());
  useChanges(talk);
  const mayTalk = useMay("member");
  const checks = useChecks(talk, mayTalk);
  const isBusy = checks.running !== null;
  return (
    <Page
      title="Check the sound"
      lead={<span role="status">{isBusy ? "Checking…" : whole(definedOf(checks.verdicts))}</span>}
      actions={
        <Button tone="primary" busy={isBusy || talk.isOpen} onClick={() => void checks.runAll()}>
          Check this device
        </Button>
      }
    >
      <Insecure />
      {talk.isOpen && (
        <Notice tone="caution">
          <p>A conversation is open. It has the microphone; hang up to check.</p>
          <div className="row">
            <Button small onClick={() => void talk.hangUp()}>
              Hang up
            </Button>
          </div>
        </Notice>
      )}
      <ol className="sound-checks">
        {(Object.keys(TITLES) as Link[]).map((link) => (
          <Check key={link} link={link} talk={talk} checks={checks} isAllowed={link !== "model" || mayTalk} />
        ))}
      </ol>
      <Installable />
    </Page>
  );
}

function Check({ link, talk, checks, isAllowed }: { link: Link; talk: Talk; checks: Checks; isAllowed: boolean }) {
  const [title, about] = TITLES[link];
  const isRunning = checks.running === link;
  const verdict = checks.verdicts[link];
  return (
    <li className="card sound-check" aria-label={title}>
      <header className="card-head">
        <div>
          <h2>{title}</h2>
          <p className="help">{isAllowed ? about : "Viewers start no conversations, so this is not checked for you."}</p>
        </div>
        {verdict && <span className={`badge ${verdict.tone}`}>{WORDS[verdict.tone]}</span>}
        {isAllowed && (
          <Button small busy={checks.running !== null || talk.isOpen} aria-label={`${link === "output" ? "Play the notes" : "Check"}: ${LINKS[link]}`} onClick={() => void checks.run([link])}>
            {link === "output" ? "Play the notes" : "Check"}
          </Button>
        )}
      </header>
      {isRunning && link === "microphone" && <Level value={checks.level} />}
      {isRunning && link === "output" && checks.answer && <Asked answer={checks.answer} />}
      {isRunning && !(link === "output" && checks.answer) && <p className="soft small">{link === "microphone" ? "Listening…" : "Measuring…"}</p>}
      {verdict && <Found verdict={verdict} onHalfDuplex={() => void talk.choose({ isHalfDuplex: true }).then(() => checks.run(["echo"]))} />}
    </li>
  );
}

function Level({ value }: { value: number }) {
  return (
    <div className="check-level" role="meter" aria-label="What the microphone hears" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(value * 100)}>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect width={value * 100} height="4" />
      </svg>
    </div>
  );
}

function Asked({ answer }: { answer: (wasHeard: boolean) => void }) {
  return (
    <div className="row" role="group" aria-label="Did you hear three notes?">
      <p>Did you hear three notes?</p>
      <Button small autoFocus onClick={() => answer(true)}>
        I heard them
      </Button>
      <Button small onClick={() => answer(false)}>
        I heard nothing
      </Button>
    </div>
  );
}

function Found({ verdict, onHalfDuplex }: { verdict: Verdict; onHalfDuplex: () => void }) {
  return (
    <>
      <p className="check-said">
        <strong>{verdict.said}</strong> {verdict.todo}
      </p>
      {verdict.offersHalfDuplex && (
        <div className="row">
          <Button small onClick={onHalfDuplex}>
            Do not listen while answering
          </Button>
        </div>
      )}
      {verdict.figures.length > 0 && (
        <dl className="check-figures">
          {verdict.figures.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

function definedOf(verdicts: Checks["verdicts"]): Partial<Record<Link, Verdict>> {
  return Object.fromEntries(Object.entries(verdicts).filter((pair) => (pair[1] as Verdict | undefined) !== undefined));
}
