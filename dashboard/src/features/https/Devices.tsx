import { type ReactNode, useState } from "react";

import { Section } from "~/ui/Page";
import { Segments } from "~/ui/Segments";

const KINDS = [
  ["iphone", "iPhone, iPad"],
  ["android", "Android"],
  ["desktop", "Computer"],
] as const;

type Kind = (typeof KINDS)[number][0];

const PASS: Record<Kind, ReactNode[]> = {
  iphone: [
    "Open the https:// address in Safari. It says that this connection is not private.",
    <>
      Press <em>Show details</em>, then <em>view the certificate</em>, and compare the SHA‑256.
    </>,
    <>
      Press <em>visit this website</em> and confirm. Talk works from here on.
    </>,
  ],
  android: [
    "Open the https:// address in Chrome. It says that your connection is not private.",
    <>
      Press the sign left of the address, then <em>Certificate details</em>, and compare the SHA‑256.
    </>,
    <>
      Press <em>Advanced</em>, then <em>Proceed</em>. Talk works from here on.
    </>,
  ],
  desktop: [
    "Open the https:// address. The browser says that the connection is not private.",
    <>
      Press <em>Not secure</em> beside the address, then <em>Certificate details</em>, and compare the SHA‑256.
    </>,
    <>
      Press <em>Advanced</em>, then <em>Proceed</em> (Firefox: <em>Accept the risk and continue</em>). Talk works from here on.
    </>,
  ],
};

const TRUST: Record<Kind, ReactNode[]> = {
  iphone: [
    "Download the certificate on the iPhone, in Safari, and allow the profile.",
    <>
      <em>Settings, General, VPN &amp; Device Management</em>: press <em>OpenCTO on this network</em>, then <em>Install</em>.
    </>,
    <>
      <em>Settings, General, About, Certificate Trust Settings</em>: switch it on. Without this step nothing changes.
    </>,
    <>
      Open the address again, then <em>Share, Add to Home Screen</em>.
    </>,
  ],
  android: [
    "Download the certificate on the phone.",
    <>
      <em>Settings, Security, Encryption &amp; credentials, Install a certificate, CA certificate</em>: choose <code>opencto.crt</code>. Some makers name the way otherwise; search the settings for
      “certificate”.
    </>,
    "Android says from now on that the network may be monitored. That is about this certificate.",
    <>
      Open the address in Chrome again, then <em>Install app</em> in its menu.
    </>,
  ],
  desktop: [
    "Download the certificate.",
    <>
      macOS: open it in <em>Keychain Access</em> and set it to <em>Always trust</em>. Windows: open it, <em>Install certificate</em>, into <em>Trusted root certification authorities</em>. Linux: import
      it in the browser's settings under <em>certificates, authorities</em>.
    </>,
    "Close the browser wholly and open the address again. Firefox may keep a list of its own in its settings, under certificates.",
  ],
};

function guess(): Kind {
  const agent = navigator.userAgent;
  return /iPhone|iPad/.test(agent) ? "iphone" : agent.includes("Android") ? "android" : "desktop";
}

/** What to press on the device itself, for a certificate that this server made. */
export function Devices({ isServed }: { isServed: boolean }) {
  const [kind, setKind] = useState(guess);
  return (
    <Section title="On the device" note={isServed ? "Once per device." : "Once per device, after you started the server with --tls self-signed."}>
      <Segments label="Kind of device" options={KINDS} value={kind} onChange={setKind} />
      <h3>To talk</h3>
      <Steps of={PASS[kind]} />
      <h3>To be rid of the warning, and to install the app</h3>
      <Steps of={TRUST[kind]} />
      <h3>What stays different</h3>
      <ul className="https-steps">
        <li>Past a warning you can talk, but the browser refuses the service worker: the app cannot be installed and does not open offline until the device trusts the certificate.</li>
        <li>
          A device that trusts it believes whoever holds the server's <code>tls/key.pem</code>, for any address. Keep that file where it is, and remove the certificate from the device when you no longer
          use this server.
        </li>
        <li>When the machine gets another address, or 825 days have passed, the server makes a new certificate, and each device asks once more.</li>
      </ul>
    </Section>
  );
}

function Steps({ of }: { of: readonly ReactNode[] }) {
  return (
    <ol className="https-steps">
      {of.map((step, index) => (
        <li key={index}>{step}</li>
      ))}
    </ol>
  );
}
