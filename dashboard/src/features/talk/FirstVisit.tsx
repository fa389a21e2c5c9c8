import type { Talk } from "./talk";

const SAMPLES = ["Which realtime models do we have?", "How much did we spend last week?", "What happens when a model shuts down?"];

/** Thirty seconds from nothing to hearing an answer. */
export function FirstVisit({ talk }: { talk: Talk }) {
  return (
    <div className="talk-first">
      <h2>Ask aloud, or begin with one of these</h2>
      <p className="soft">The answer is spoken and written. Nothing is recorded before you press.</p>
      <ul className="talk-samples">
        {SAMPLES.map((question) => (
          <li key={question}>
            <button type="button" className="talk-sample" onClick={() => void talk.ask(question)}>
              {question}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
