/** What the doctor does from the browser: the steps of the runbook, each a line with a remedy. */
import { api, read } from "~/api/client";
import { asProblem } from "~/api/problem";
import { count, money, plural, utcDay } from "~/ui/format";

export interface Finding {
  name: string;
  state: "running" | "ok" | "failed";
  text: string;
  requestId?: string | null;
}

interface Step {
  name: string;
  run: (workspaceId: string, carried: Carried) => Promise<string>;
}

interface Carried {
  url?: string;
  secret?: string;
}

const OPEN_SECONDS = 10;

const STEPS: readonly Step[] = [
  {
    name: "Server",
    run: async () => {
      const status = await read(api.GET("/api/v1/status"));
      if (status.status !== "ready") throw new Error("The server is not ready. Its log says which check fails.");
      return `OpenCTO ${status.version} is ready; ${plural(Object.keys(status.checks).length, "check")} passed.`;
    },
  },
  {
    name: "Mint a token",
    run: async (workspaceId, carried) => {
      const minted = await read(api.POST("/api/v1/realtime/token", { body: { workspaceId, ttlSeconds: 60, transport: "websocket" } }));
      if (!minted.clientSecret) throw new Error("The answer held no client secret. Look at the server's log.");
      carried.url = minted.websocketUrl;
      carried.secret = minted.clientSecret;
      return `A client secret for ${minted.model}, with the ${minted.keySource === "sandbox" ? "sandbox" : `${minted.keySource} key`}.`;
    },
  },
  {
    name: "Open a voice session",
    run: (_workspaceId, { url, secret }) => (url && secret ? openSession(url, secret) : Promise.reject(new Error("There is no client secret to open it with: see the line above."))),
  },
  {
    name: "List models",
    run: async (workspaceId) => {
      const models = await read(api.GET("/api/v1/cto/openai/models", { params: { query: { workspaceId } } }));
      if (models.data.length === 0) throw new Error("The key reaches no model. Allow some in its project at OpenAI.");
      return `${plural(models.data.length, "model")}; ${plural(models.warnings.length, "of those in use ends soon", "of those in use end soon")}.`;
    },
  },
  {
    name: "Read usage",
    run: async (workspaceId) => {
      const today = utcDay();
      const usage = await read(api.GET("/api/v1/cto/openai/usage", { params: { query: { workspaceId, start: utcDay(6), end: today } } }));
      return `${money(usage.totals.cost ?? "0")} for ${plural(usage.totals.requests, "request")} in the last 7 days, from ${usage.source === "openai" ? "OpenAI" : `the ${usage.source}`}.`;
    },
  },
  {
    name: "429 and 5xx",
    run: async () => {
      const { buckets } = await read(api.GET("/api/v1/status"));
      const lines = buckets
        .filter(({ bucket }) => bucket !== "voice_respond")
        .map(({ bucket, windows }) => {
          const day = windows.find((one) => one.window === "24h");
          const limited = day ? day.rateLimited.opencto + day.rateLimited.openai : 0;
          const failed = day ? day.failed.opencto + day.failed.openai : 0;
          return `${bucket}: ${count(day?.requests ?? 0)} requests, ${count(limited)} × 429, ${count(failed)} × 5xx`;
        });
      return `${lines.join("; ")} in 24 hours.`;
    },
  },
];

/** Runs the steps one after the other and tells each line as it changes. A step that fails does not stop the others. */
export async function examine(workspaceId: string, tell: (lines: Finding[]) => void): Promise<Finding[]> {
  const lines: Finding[] = [];
  const carried: Carried = {};
  for (const step of STEPS) {
    tell([...lines, { name: step.name, state: "running", text: "…" }]);
    lines.push(await outcome(step, workspaceId, carried));
    tell([...lines]);
  }
  return lines;
}

async function outcome(step: Step, workspaceId: string, carried: Carried): Promise<Finding> {
  try {
    return { name: step.name, state: "ok", text: await step.run(workspaceId, carried) };
  } catch (failure) {
    if (failure instanceof Error && failure.constructor === Error) return { name: step.name, state: "failed", text: failure.message };
    const problem = asProblem(failure);
    return { name: step.name, state: "failed", text: problem.message, requestId: problem.requestId };
  }
}

function openSession(url: string, secret: string): Promise<string> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ["realtime", `openai-insecure-api-key.${secret}`]);
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error(`No session within ${OPEN_SECONDS} seconds. Check that this browser may reach ${new URL(url).host}.`));
    }, OPEN_SECONDS * 1000);
    socket.onmessage = (message: MessageEvent<string>) => {
      clearTimeout(timer);
      socket.close();
      const event = JSON.parse(message.data) as { type?: string };
      if (event.type === "session.created") resolve(`The session stood after ${Math.round(performance.now() - began)} ms.`);
      else reject(new Error(`The first event was ${event.type ?? "without a type"} and not session.created. Try again; then look at OpenAI's status page.`));
    };
    socket.onerror = () => {
      clearTimeout(timer);
      reject(new Error(`The WebSocket to ${new URL(url).host} was refused. A proxy between may not let WebSockets pass.`));
    };
  });
}
