import type { Schemas } from "~/api/client";
import { Notice } from "~/ui/Notice";
import { Section } from "~/ui/Page";
import { CopyButton } from "~/ui/Copy";

const DAY = new Intl.DateTimeFormat("en", { dateStyle: "long" });

/** What to compare before trusting, and the file to trust. */
export function Certificate({ certificate }: { certificate: Schemas["ServerCertificate"] }) {
  return (
    <Section
      title="The certificate"
      note={
        certificate.isOurs
          ? "This server made it for itself, so nobody but you vouches for it. That is why a device warns."
          : "Whoever runs this server brought it. Where a public authority issued it, no device warns."
      }
    >
      <dl className="facts">
        <div>
          <dt>SHA-256</dt>
          <dd>
            <code className="https-print">{certificate.sha256}</code>
          </dd>
        </div>
        <div>
          <dt>Good for</dt>
          <dd>{certificate.names.join(", ") || "no name"}</dd>
        </div>
        <div>
          <dt>Good until</dt>
          <dd>
            <time dateTime={certificate.endsAt} title={certificate.endsAt}>
              {DAY.format(new Date(certificate.endsAt))}
            </time>
          </dd>
        </div>
      </dl>
      {certificate.isOurs && (
        <Notice>
          <p>
            Compare before you trust: the terminal in which <code>opencto up</code> runs printed the same SHA‑256, and so must the warning of your device (under <em>certificate</em> or{" "}
            <em>details</em>). If they differ, somebody sits between: stop.
          </p>
        </Notice>
      )}
      <div className="row">
        {certificate.isOurs && (
          <a className="button" href="/api/v1/addresses/certificate">
            Download the certificate
          </a>
        )}
        <CopyButton text={certificate.sha256} label="Copy the SHA-256" />
      </div>
    </Section>
  );
}
