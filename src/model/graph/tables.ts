/** What the events folded into; `View` reads it from one moment. */
import type {
  AgentAction,
  Alert,
  Change,
  Condition,
  EdgeFact,
  LogTemplate,
  ModelEvent,
  NodeFact,
  Series,
  Traffic,
} from "../event.ts";
import type { NodeId } from "../graph-words.ts";
import { EdgeTable, edgeForm } from "./edge-table.ts";
import { NodeEvents } from "./event-list.ts";
import { Ground } from "./ground.ts";
import { Namespaces } from "./namespaces.ts";
import { NodeTable } from "./node-table.ts";
import { compareDated, type Moment } from "./order.ts";
import { Running } from "./running.ts";
import { comparedAspects } from "./succession.ts";

export class Tables {
  readonly nodes: NodeTable = new NodeTable();
  readonly namespaces: Namespaces = new Namespaces(this.nodes);
  readonly edges: EdgeTable = new EdgeTable();
  readonly ground: Ground = new Ground();
  readonly running: Running = new Running();
  /** Nodes of which more than one fact can be a change. */
  readonly compared: Set<number> = new Set();
  readonly changes: NodeEvents<Change> = new NodeEvents();
  readonly series: NodeEvents<Series> = new NodeEvents();
  readonly callers: NodeEvents<Traffic> = new NodeEvents();
  readonly callees: NodeEvents<Traffic> = new NodeEvents();
  readonly logs: NodeEvents<LogTemplate> = new NodeEvents();
  readonly conditions: NodeEvents<Condition> = new NodeEvents();
  readonly alerts: NodeEvents<Alert> = new NodeEvents();
  readonly actions: NodeEvents<AgentAction> = new NodeEvents();

  /** How many events were folded. */
  folds = 0;

  fold(event: ModelEvent): void {
    this.folds += 1;
    const see = (id: NodeId): number => this.nodes.see(id, event);
    switch (event.type) {
      case "node":
        this.#foldFact(event);
        break;
      case "edge":
        this.#foldEdge(event);
        break;
      case "change":
        for (const cause of event.causedBy ?? []) see(cause);
        this.changes.add(event, [event.change, ...event.targets].map(see));
        break;
      case "series":
        this.series.add(event, [see(event.node)]);
        break;
      case "traffic":
        this.#foldTraffic(event);
        break;
      case "log":
        this.logs.add(event, [see(event.node)]);
        break;
      case "condition":
        this.conditions.add(event, [see(event.node)]);
        break;
      case "alert":
        this.alerts.add(event, [see(event.node)]);
        break;
      case "action":
        this.actions.add(event, [event.agent, event.tool, ...event.targets].map(see));
        break;
    }
  }

  #foldFact(event: NodeFact): void {
    this.nodes.addFact(event);
    if (!comparedAspects(event.node).includes(event.aspect)) return;
    const index = this.nodes.see(event.node, event);
    if (this.nodes.facts(index, event.aspect).length > 1) this.compared.add(index);
  }

  #foldEdge(event: EdgeFact): void {
    const from = this.nodes.see(event.from, event);
    const to = this.nodes.see(event.to, event);
    this.edges.add(from, to, edgeForm(event.kind, event.basis), event);
    if (event.kind === "part_of" && event.from.startsWith("workload:")) this.running.add(from, to);
  }

  #foldTraffic(event: Traffic): void {
    const callee = this.nodes.see(event.callee, event);
    this.callees.add(event, [callee]);
    if (event.caller === null) return;
    const caller = this.nodes.see(event.caller, event);
    this.callers.add(event, [caller]);
    // A step within one service is traffic, and no edge.
    if (caller === callee) return;
    this.edges.add(caller, callee, edgeForm("calls", "observed"), event);
  }

  /** Whether the edge is there, and neither of its nodes has gone since it was last seen. */
  isEdgeThere(edge: number, moment: Moment): boolean {
    if (!this.edges.isThere(edge, moment)) return false;
    return (
      this.#isAfterEnd(edge, this.edges.from(edge), moment) &&
      this.#isAfterEnd(edge, this.edges.to(edge), moment)
    );
  }

  /** Whether something spoke of the node, and it has not gone since. What is still measured of it does not bring it back. */
  isNodeThere(node: number, moment: Moment): boolean {
    if (!this.nodes.isSeen(node, moment)) return false;
    if (this.nodes.endOf(node, moment) === undefined) return true;
    const isTold = this.nodes
      .aspectNames(node)
      .some((aspect) => this.nodes.factAt(node, aspect, moment) !== undefined);
    return isTold || this.#hasEdge(node, moment);
  }

  #hasEdge(node: number, moment: Moment): boolean {
    let has = false;
    const look = (edge: number): void => {
      has ||= this.isEdgeThere(edge, moment);
    };
    this.edges.eachOut(node, look);
    this.edges.eachIn(node, look);
    return has;
  }

  #isAfterEnd(edge: number, node: number, moment: Moment): boolean {
    if (!this.nodes.everEnds(node)) return true;
    const end = this.nodes.endOf(node, moment);
    const sighting = this.edges.sighting(edge, moment);
    return end === undefined || (sighting !== undefined && compareDated(end, sighting) < 0);
  }
}
