import type { ReactNode } from "react";

import type { Schemas } from "~/api/client";
import { CopyButton } from "~/ui/Copy";
import { Badge } from "~/ui/Figures";
import { Section } from "~/ui/Page";

type Addresses = Schemas["Addresses"];

/** Three ways to HTTPS, the quickest first, each with the command to run on the machine of the server. */
export function Ways({ server }: { server: Addresses }) {
  const isOff = server.https === "off";
  const port = server.port === 8787 ? "" : ` --port ${server.port}`;
  const there = `https://${location.hostname === "localhost" || location.hostname.startsWith("127.") ? "<this machine>" : location.hostname}:${server.port}`;
  return (
    <Section
      title={isOff ? "Three ways to get it" : "The three ways"}
      note={isOff ? "Stop the server (Ctrl-C in its terminal) and start it again with one of these. Nothing is lost by that." : "To change it, stop the server and start it with another."}
    >
      <ol className="https-ways">
        <Way
          title="A certificate that the server makes"
          isUsed={server.https === "self-signed"}
          command={`opencto up --host 0.0.0.0${port} --tls self-signed`}
          about="A minute, no domain. Each device warns once, because nobody but you vouches for it. For your own network."
        >
          {isOff && !window.isSecureContext && (
            <p>
              Then open <a href={`${there}/https`}>{there}</a> here.
            </p>
          )}
        </Way>
        <Way
          title="A certificate of yours"
          isUsed={server.https === "certificate"}
          command={`opencto up --host 0.0.0.0${port} --tls-cert chain.pem --tls-key key.pem`}
          about="For a name that you own, from a public authority such as Let's Encrypt, or from the authority of your company. Devices that trust the authority do not warn."
        />
        <Way
          title="A proxy in front"
          isUsed={server.https === "proxy"}
          command="OPENCTO_PUBLIC_URL=https://cto.example.com OPENCTO_TRUSTED_PROXIES=127.0.0.1 opencto up"
          about="Where Caddy, nginx, Traefik or a tunnel ends HTTPS already. Every link is made of the public address; the proxy must pass WebSockets on."
        />
      </ol>
    </Section>
  );
}

function Way({ title, isUsed, command, about, children }: { title: string; isUsed: boolean; command: string; about: string; children?: ReactNode }) {
  return (
    <li>
      <div className="row">
        <h3>{title}</h3>
        {isUsed && <Badge tone="good">in use</Badge>}
      </div>
      <p>{about}</p>
      <code className="command">{command}</code>
      <CopyButton text={command} label="Copy the command" />
      {children}
    </li>
  );
}
