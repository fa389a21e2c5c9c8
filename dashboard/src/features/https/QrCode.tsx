import type { Schemas } from "~/api/client";

/** Drawn here from the modules that the server made. Dark on white in dark colours too: readers want it so. */
export function QrCode({ qr, label }: { qr: Schemas["QrImage"]; label: string }) {
  return (
    <svg className="qr" viewBox={`0 0 ${qr.size} ${qr.size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <path d={qr.path} />
    </svg>
  );
}
