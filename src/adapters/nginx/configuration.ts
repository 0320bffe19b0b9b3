/** What nginx needs to ask the gate of a site before each request (nginx, ngx_http_auth_request_module). Pure. */
export interface NginxGate {
  readonly site: string;
  /** `host:port` of the guard. */
  readonly gate: string;
  /** `host:port` of the gateway. */
  readonly server: string;
  readonly listen: string;
}

/** A gate that is gone, slow or in another mind is an error of the sub-request, and nginx then answers 500: closed. */
export function nginxConfiguration({ site, gate, server, listen }: NginxGate): string {
  return `# Into the http section.
server {
    listen ${listen};

    location / {
        auth_request /holdfast-gate;
        # Streams of MCP are not held back.
        proxy_buffering off;
        proxy_http_version 1.1;
        proxy_pass http://${server};
    }

    location = /holdfast-gate {
        internal;
        proxy_pass http://${gate}/gate/${site};
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_connect_timeout 300ms;
        proxy_read_timeout 500ms;
        proxy_send_timeout 500ms;
        # Nobody's word of a moment ago.
        proxy_cache off;
    }
}
`;
}
