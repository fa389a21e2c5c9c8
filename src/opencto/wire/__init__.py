"""The shapes of the wire, one file a capability. The server and the SDK share them; they import nothing of either."""
