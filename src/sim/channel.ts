/** The `Notifier` port in memory: keeps what people were told, and fails as it is told to. */
import { err, ok, type Result } from "../kernel/index.ts";
import type { Notice, NoticePlace, Notifier, NotifyError } from "../ports.ts";

export interface Said {
  readonly how: "deliver" | "update" | "remind";
  readonly notice: Notice;
  /** Where the message is; of an update or a reminder, where it was said to be. */
  readonly at: string;
}

type Told = Promise<Result<NoticePlace, NotifyError>>;

export class SimChannel implements Notifier {
  readonly said: Said[] = [];
  readonly #failing: (how: Said["how"], nth: number) => NotifyError | undefined;
  readonly #name: string;
  tries = 0;

  /** `failing` is asked before each try, which counts from 1; each message has a place of its own, `name` and a number. */
  constructor(
    failing: (how: Said["how"], nth: number) => NotifyError | undefined = () => undefined,
    name = "a",
  ) {
    this.#failing = failing;
    this.#name = name;
  }

  deliver(notice: Notice): Told {
    return this.#tell("deliver", notice);
  }

  update(place: NoticePlace, notice: Notice): Told {
    return this.#tell("update", notice, place);
  }

  remind(place: NoticePlace, notice: Notice): Told {
    return this.#tell("remind", notice, place);
  }

  #tell(how: Said["how"], notice: Notice, place?: NoticePlace): Told {
    this.tries += 1;
    const error = this.#failing(how, this.tries);
    if (error !== undefined) return Promise.resolve(err(error));
    const at = place === undefined ? `${this.#name}${this.tries}` : String(place["at"]);
    this.said.push({ how, notice, at });
    return Promise.resolve(ok({ at }));
  }
}
