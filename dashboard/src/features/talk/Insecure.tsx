import { Link } from "@tanstack/react-router";

import { Notice } from "~/ui/Notice";

/** Said before anybody presses in vain: over http:// a browser gives no microphone, and here is the way on. */
export function Insecure() {
  if (window.isSecureContext) return null;
  return (
    <Notice tone="caution">
      <p>This page came over http://, so the browser gives it no microphone. You can write, and HTTPS takes a minute.</p>
      <div className="row">
        <Link className="button small" to="/https">
          How to get HTTPS
        </Link>
      </div>
    </Notice>
  );
}
