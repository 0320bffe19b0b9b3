/** A client of the admin API that takes nothing on trust: each answer is checked against the document the server itself serves. */
import { Ajv2020 } from "ajv/dist/2020.js";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  readonly body: any;
}

export interface Asking {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly content?: Record<string, unknown> }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export class DescribedApi {
  /** Operations that were answered as described, with the status. */
  readonly seen: Set<string> = new Set();
  readonly document: Document;
  readonly #url: string;
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false });

  static async of(url: string): Promise<DescribedApi> {
    const served = await fetch(`${url}/openapi.json`);
    return new DescribedApi(url, (await served.json()) as Document);
  }

  private constructor(url: string, document: Document) {
    this.#url = url;
    this.document = document;
    this.#ajv.addSchema(document, "openapi");
  }

  get operations(): readonly string[] {
    return Object.values(this.document.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
  }

  async ask(method: string, path: string, asking: Asking = {}): Promise<Answer> {
    const { token, body, headers = {} } = asking;
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = {
      status: response.status,
      headers: response.headers,
      body: text === "" ? undefined : JSON.parse(text),
    };
    this.#check(method, path.split("?")[0] ?? "", answer);
    return answer;
  }

  #check(method: string, path: string, { status, headers, body }: Answer): void {
    const template = this.#templateOf(method, path);
    if (template === undefined) return;
    const operation = this.document.paths[template]?.[method.toLowerCase()];
    const described = operation?.responses[String(status)];
    if (operation === undefined || described === undefined)
      throw new Error(
        `${method} ${path} answers ${status}, which is not described: ${JSON.stringify(body)}`,
      );
    this.seen.add(`${operation.operationId} ${status}`);
    const type = (headers.get("content-type") ?? "").split(";")[0] ?? "";
    if (described.content?.[type] === undefined)
      throw new Error(`${method} ${path} answers ${status} as ${type}, which is not described`);
    const escaped = [template, type].map((part) =>
      encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")),
    );
    const pointer = `openapi#/paths/${escaped[0]}/${method.toLowerCase()}/responses/${status}/content/${escaped[1]}/schema`;
    const validate = this.#ajv.getSchema(pointer);
    if (validate === undefined) throw new Error(`no schema at ${pointer}`);
    if (!validate(body))
      throw new Error(`${method} ${path} ${status}: ${this.#ajv.errorsText(validate.errors)}`);
  }

  #templateOf(method: string, path: string): string | undefined {
    const fits = Object.keys(this.document.paths).filter((template) => {
      const form = template.replaceAll(/\{\w+\}/g, "[^/]+");
      const has = this.document.paths[template]?.[method.toLowerCase()] !== undefined;
      return has && new RegExp(`^${form}$`).test(path);
    });
    return fits.sort((a, b) => a.split("{").length - b.split("{").length)[0];
  }
}
