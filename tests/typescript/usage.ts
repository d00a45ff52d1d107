// What a dashboard or an API writes against docs/schema/netvitals.d.ts; `make schemas-check` compiles it.
import type { Configuration, Credentials, Inventory, JobMessage, MetricName, PollLine, StatusEvent } from "./netvitals";

export function busiest(lines: PollLine[], metric: MetricName): string | undefined {
  const values = lines.flatMap((line) =>
    line.points
      .filter((point) => point.metric_name === metric && point.value !== undefined)
      .map((point) => ({ device: line.device_id, value: point.value as number })),
  );
  return values.sort((one, other) => other.value - one.value)[0]?.device;
}

export function told(event: StatusEvent): string {
  return `${event.device?.hostname ?? event.site}: ${event.before} → ${event.after} (${event.cause})`;
}

export const device: Inventory = { id: "sw-1", ip_address: "10.1.0.11", settings: { snmp: { port: 161 } } };
export const credentials: Credentials = { core: { snmp: { version: "2c", community: "public" } } };
export const configuration: Configuration = { device_types: { network: { metrics_interval_seconds: 120 } } };
export const jobs = (message: JobMessage): number => message.jobs.length;

// Each of these must be an error: types that take anything would be none.
// @ts-expect-error: no such metric
busiest([], "cpu");
// @ts-expect-error: an id is needed
export const nameless: Inventory = { ip_address: "10.1.0.11" };
// @ts-expect-error: no such version
export const wrong: Credentials = { core: { snmp: { version: "4" } } };
// @ts-expect-error: a misspelled key
export const misspelled: Configuration = { log_levle: "INFO" };
