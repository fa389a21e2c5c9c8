import "./https.css";

import { useQuery } from "@tanstack/react-query";

import { api, read, type Schemas } from "~/api/client";
import { CopyButton } from "~/ui/Copy";
import { Loaded } from "~/ui/Loading";
import { Notice } from "~/ui/Notice";
import { Page, Section } from "~/ui/Page";

import { Certificate } from "./Certificate";
import { Devices } from "./Devices";
import { QrCode } from "./QrCode";
import { Ways } from "./Ways";

type Addresses = Schemas["Addresses"];

/** How a phone reaches this server over HTTPS: where, by what certificate, in which steps, and what stays different. */
export function HttpsPage() {
  const query = useQuery({ queryKey: ["addresses"], queryFn: () => read(api.GET("/api/v1/addresses")) });
  return (
    <Page title="HTTPS on your network" lead={leadOf()}>
      <Loaded query={query} lines={6}>
        {(server) => <Explained server={server} />}
      </Loaded>
    </Page>
  );
}

function leadOf(): string {
  if (!window.isSecureContext) return "This page came over http://, and browsers give a microphone to pages over HTTPS alone. It takes a minute to change that; writing works meanwhile.";
  if (location.protocol === "https:") return "This page came over HTTPS: this device gives its microphone. Here is how others do.";
  return "On the machine of the server itself the microphone works without HTTPS. Every other device needs it.";
}

function Explained({ server }: { server: Addresses }) {
  const isSafe = server.https !== "off";
  const isOurs = server.certificate?.isOurs ?? false;
  return (
    <div className="https-page">
      {isSafe && <Open server={server} />}
      {!isSafe && <Ways server={server} />}
      {server.certificate && <Certificate certificate={server.certificate} />}
      {(isOurs || !isSafe) && <Devices isServed={isOurs} />}
      {!isSafe && <Plain server={server} />}
      {isSafe && <Ways server={server} />}
    </div>
  );
}

/** The addresses to open on another device. */
function Open({ server }: { server: Addresses }) {
  const safe = server.addresses.filter((one) => one.url.startsWith("https://"));
  const here = safe.find((one) => new URL(one.url).hostname === location.hostname) ?? safe[0];
  return (
    <Section title="Open it on another device" note="Point the camera of the phone at the code, or type the address. Both must be in the same network, unless the address is public.">
      {safe.length === 0 && (
        <Notice tone="caution">
          <p>
            This server makes HTTPS, but listens on its own machine alone (port {server.port}). Start it with <code>--host 0.0.0.0</code> to let other devices in.
          </p>
        </Notice>
      )}
      {!window.isSecureContext && here && (
        <p>
          <a className="button primary" href={`${here.url}/talk`}>
            Go on over HTTPS
          </a>
        </p>
      )}
      <AddressList addresses={safe} />
    </Section>
  );
}

/** Where it is reached without HTTPS: enough to read and to write. */
function Plain({ server }: { server: Addresses }) {
  return (
    <Section title="Without HTTPS" note="Everything but the microphone and the installed app works here too. Passwords and answers then cross the network in the clear: use it where you trust everybody on it.">
      {server.addresses.length === 0 ? (
        <p>
          {server.isLoopbackOnly
            ? `This server listens on its own machine alone (port ${server.port}), so other devices do not reach it yet.`
            : "This machine has no address in a network at the moment."}
        </p>
      ) : (
        <AddressList addresses={server.addresses} />
      )}
    </Section>
  );
}

function AddressList({ addresses }: { addresses: Addresses["addresses"] }) {
  return (
    <ul className="https-addresses">
      {addresses.map((one) => (
        <li key={one.url}>
          <QrCode qr={one.qr} label={`QR code of ${one.url}`} />
          <div className="stack">
            <a className="https-address" href={one.url}>
              {one.url}
            </a>
            <span className="soft small">{one.isPublic ? "The public address of this server (OPENCTO_PUBLIC_URL)" : "An address of this machine in your network"}</span>
            <span>
              <CopyButton text={one.url} label="Copy the address" />
            </span>
          </div>
        </li>
      ))}
    </ul>
  );
}
