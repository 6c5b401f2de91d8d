// A client of an oauth3 server in the manner of the public TypeScript ones, written from the wire
// document alone: it sends and expects what that says, and ignores what it does not know.

export type Json = { [name: string]: unknown };

export interface ExecuteOptions {
  skillId?: string;
  skillCode: string;
  /** Names and values: only the names count for the server. */
  secrets?: Record<string, string>;
  args?: Record<string, unknown>;
  sessionId?: string;
}

export interface ScopeOptions {
  description: string;
  constraints?: unknown;
  allowedSecrets?: string[];
  allowedNetworks?: string[];
  allowMutating?: boolean;
  sessionId?: string;
  skillCode?: string;
}

export interface Submitted {
  request_id: string;
  status: string;
  session_id: string;
  status_url: string;
  approval_url?: string;
  message?: string;
}

export interface Result {
  success: boolean;
  stdout: string;
  stderr: string;
  exitCode: number;
  duration: number;
}

export interface Status {
  request_id: string;
  status: string;
  session_id?: string;
  result?: Result;
  error?: string;
  missing_secrets?: string[];
}

/** A refusal of the server: the message is what it said, word for word. */
export class OAuth3Error extends Error {
  constructor(message: string, readonly status: number, readonly code: string) {
    super(message);
  }
}

const SDK_VERSION = "0.3.0";
const FINAL = ["completed", "failed", "denied"];

export class OAuth3Client {
  /** Called with the request that a human must look at. */
  onApprovalNeeded: (submitted: Submitted) => void = () => {};

  private constructor(readonly url: string, readonly token?: string) {}

  /** With a key, or by signing up for one. */
  static async create(url: string, options: { token?: string; name?: string } = {}) {
    if (options.token !== undefined) return new OAuth3Client(url, options.token);
    const made = await new OAuth3Client(url).call("POST", "/signup", { name: options.name });
    for (const member of ["token", "jwt", "api_key"]) {
      if (made[member] !== made.token || typeof made.token !== "string") {
        throw new Error(`sign-up gave no ${member}`);
      }
    }
    return new OAuth3Client(made.tee_url as string, made.jwt as string);
  }

  /** A client that shows no key, for servers that want none. */
  static anonymous(url: string) {
    return new OAuth3Client(url);
  }

  async execute(options: ExecuteOptions): Promise<Submitted> {
    return await this.call("POST", "/execute", this.executeBody(options)) as unknown as Submitted;
  }

  async dryRun(options: ExecuteOptions): Promise<Json> {
    return await this.call("POST", "/execute", { ...this.executeBody(options), dry_run: true });
  }

  async scope(options: ScopeOptions): Promise<Submitted> {
    return await this.call("POST", "/scope", {
      description: options.description,
      constraints: options.constraints,
      allowedSecrets: options.allowedSecrets,
      allowedNetworks: options.allowedNetworks,
      allowMutating: options.allowMutating,
      session_id: options.sessionId,
      skill_code: options.skillCode,
    }) as unknown as Submitted;
  }

  /** Asks the URL that the server gave, as it gave it, until the request has ended. */
  async poll(submitted: { status_url: string }, timeoutMs = 50_000): Promise<Status> {
    const end = Date.now() + timeoutMs;
    while (Date.now() < end) {
      const status = await this.fetchJson("GET", submitted.status_url) as unknown as Status;
      if (FINAL.includes(status.status)) return status;
    }
    throw new Error("the request has not ended in time");
  }

  /** One look at a request, by its id. */
  async status(requestId: string): Promise<Status> {
    return await this.call("GET", `/execute/${requestId}/status`) as unknown as Status;
  }

  async executeAndWait(options: ExecuteOptions): Promise<Status> {
    const submitted = await this.execute(options);
    if (submitted.approval_url !== undefined) this.onApprovalNeeded(submitted);
    return await this.poll(submitted);
  }

  /** The code is approved with its scope, and runs only if that was granted. */
  async scopeAndExecute(
    scope: ScopeOptions,
    execute: ExecuteOptions,
  ): Promise<{ scope: Status; execution?: Status }> {
    const asked = await this.scope({ ...scope, skillCode: execute.skillCode });
    if (asked.approval_url !== undefined) this.onApprovalNeeded(asked);
    const granted = await this.poll(asked);
    if (granted.status !== "completed") return { scope: granted };
    const sessionId = granted.session_id ?? asked.session_id;
    return { scope: granted, execution: await this.executeAndWait({ ...execute, sessionId }) };
  }

  async sessions(): Promise<Json[]> {
    return (await this.call("GET", "/sessions")).sessions as Json[];
  }

  async me(): Promise<Json> {
    return await this.call("GET", "/me");
  }

  async history(options: { limit?: number; before?: string } = {}): Promise<Json> {
    const query = new URLSearchParams();
    if (options.limit !== undefined) query.set("limit", `${options.limit}`);
    if (options.before !== undefined) query.set("before", options.before);
    return await this.call("GET", `/history?${query}`);
  }

  private executeBody(options: ExecuteOptions): Json {
    return {
      skill_id: options.skillId,
      skill_code: options.skillCode,
      secrets: options.secrets,
      args: options.args,
      session_id: options.sessionId,
    };
  }

  async call(method: string, path: string, body?: Json): Promise<Json> {
    return await this.fetchJson(method, this.url + path, body);
  }

  private async fetchJson(method: string, url: string, body?: Json): Promise<Json> {
    const headers: Record<string, string> = {
      "Content-Type": "application/json",
      "X-OAuth3-SDK-Version": SDK_VERSION,
    };
    if (this.token !== undefined) headers["Authorization"] = `Bearer ${this.token}`;
    const reply = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await reply.text();
    let document: Json = {};
    try {
      document = JSON.parse(text);
    } catch {
      throw new OAuth3Error(`no JSON came from ${method} ${url}: ${text}`, reply.status, "");
    }
    if (!reply.ok) throw new OAuth3Error(`${document.error}`, reply.status, `${document.code}`);
    return document;
  }
}
