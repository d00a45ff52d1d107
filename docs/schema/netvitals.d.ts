// Types of what netvitals reads and writes, made from the schemas beside this file by `make schemas`.

/**
 * Filter of a host's interfaces by name.
 */
export interface HostInterfaceNames {
  /**
   * A regular expression: only interfaces in whose name it is found. It is RE2's, that is Python's without look-around and back-references.
   */
  include_names?: string | null;
  /**
   * A regular expression, as above: no interface in whose name it is found. Unless set: those that containers, virtual machines, VPNs and dial-in users bring; null collects them as well.
   * @default "^(veth|br-[0-9a-f]{12}$|podman|lxc|lxd|cni\\d|cali|flannel|cilium|kube-|(azv|eni|gke)[0-9a-f]{11}$|virbr|vnet\\d|tap|q(br|vb|vo)[0-9a-f]|fw(br|ln|pr)\\d|vmnet|epair\\d|pppoe-?\\d|<\\w+-|Vi(rtual-Access)?\\d|docker|u?tun\\d|ppp\\d)"
   */
  exclude_names?: string | null;
}

/**
 * Filter of interfaces, by ifName and otherwise; an empty list excludes nothing.
 */
export interface InterfaceFilter {
  /**
   * A regular expression: only interfaces in whose name it is found. It is RE2's, that is Python's without look-around and back-references.
   */
  include_names?: string | null;
  /**
   * A regular expression, as above: no interface in whose name it is found. Unless set: those that containers, virtual machines and dial-in users bring; null collects them as well.
   * @default "^(veth|br-[0-9a-f]{12}$|podman|lxc|lxd|cni\\d|cali|flannel|cilium|kube-|(azv|eni|gke)[0-9a-f]{11}$|virbr|vnet\\d|tap|q(br|vb|vo)[0-9a-f]|fw(br|ln|pr)\\d|vmnet|epair\\d|pppoe-?\\d|<\\w+-|Vi(rtual-Access)?\\d)"
   */
  exclude_names?: string | null;
  /**
   * IANAifType numbers, such as 24 for softwareLoopback.
   * @default []
   */
  exclude_types?: number[];
  /**
   * Only interfaces whose ifOperStatus is up.
   * @default false
   */
  only_oper_up?: boolean;
  /**
   * Only interfaces whose ifAdminStatus is up.
   * @default false
   */
  only_admin_up?: boolean;
  /**
   * Adds ifAlias, the operator's own description, as the tag `alias`; renaming then starts a new series.
   * @default false
   */
  alias_tag?: boolean;
}

/**
 * The host probe: ICMP echo, or TCP connections where ICMP is not permitted.
 */
export interface PingSettings {
  /**
   * Whether the host is probed at all; a protocol's own reply proves a device alive as well.
   * @default true
   */
  enabled?: boolean;
  /**
   * Echo requests for one probe.
   * Limits: ≥ 1, ≤ 20.
   * @default 1
   */
  count?: number;
  /**
   * For the whole probe, however much it tries. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 1.0
   */
  timeout_seconds?: number;
  /**
   * Tried where the process may not send ICMP; a refusal by the host itself proves it alive as well.
   * @default [22, 443, 80]
   */
  tcp_ports?: number[];
}

/**
 * All that a device type or a device may set.
 */
export interface Policy {
  /**
   * In order of preference: the next is tried where the one before gave nothing. Empty: ping only.
   * @default ["snmp"]
   */
  protocols?: ("snmp" | "ssh" | "winrm")[];
  /**
   * For everything that one poll of a device does; what was read by then is kept. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 45.0
   */
  device_timeout_seconds?: number;
  ping?: PingSettings;
  vitals?: VitalSettings;
  snmp?: SnmpSettings;
  ssh?: SshSettings;
  winrm?: WinrmSettings;
  /**
   * Between two checks of whether a device is up. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   * @default 30
   */
  status_interval_seconds?: number;
  /**
   * Between two polls of everything a device measures. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   * @default 300
   */
  metrics_interval_seconds?: number;
  /**
   * A device is offline no earlier than this after it was last seen. Unless set: three status intervals, where that is longer. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   */
  offline_timeout_seconds?: number;
  /**
   * A device is offline after no fewer polls in a row that failed.
   * Limits: ≥ 1, ≤ 100.
   * @default 2
   */
  offline_after_failures?: number;
  /**
   * A device is online again after this many polls in a row that were answered.
   * Limits: ≥ 1, ≤ 100.
   * @default 1
   */
  online_after_successes?: number;
  /**
   * A device that nobody tried for this long is `unknown`. Unless set: three status intervals, where that is longer. Unit: seconds.
   * Limits: ≥ 30, ≤ 86400.
   */
  missing_timeout_seconds?: number;
}

/**
 * SNMP: versions 1, 2c and 3; the credential says which, and as whom.
 */
export interface SnmpSettings {
  /**
   * UDP port of the agent.
   * Limits: ≥ 1, ≤ 65535.
   * @default 161
   */
  port?: number;
  /**
   * Overrides the credential's where both are communities.
   */
  version?: "1" | "2c" | "3" | null;
  /**
   * For the answer to one request. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 2.0
   */
  timeout_seconds?: number;
  /**
   * How often a request is repeated that had no answer.
   * Limits: ≥ 0, ≤ 10.
   * @default 2
   */
  retries?: number;
  /**
   * Rows asked for in one GETBULK, at most: it adapts to what the device can answer.
   * Limits: ≥ 1, ≤ 200.
   * @default 25
   */
  max_repetitions?: number;
  /**
   * Requests that wait for the device's answers at the same time.
   * Limits: ≥ 1, ≤ 32.
   * @default 4
   */
  requests_in_flight?: number;
  /**
   * Values read in one poll, at most: a guard against devices that never come to an end.
   * Limits: ≥ 100, ≤ 1000000.
   * @default 100000
   */
  max_varbinds?: number;
  /**
   * Use this profile instead of the one that sysObjectID selects.
   */
  profile?: string | null;
  interfaces?: InterfaceFilter;
}

/**
 * SSH: one probe of POSIX shell, which leaves nothing behind.
 */
export interface SshSettings {
  /**
   * TCP port of the server.
   * Limits: ≥ 1, ≤ 65535.
   * @default 22
   */
  port?: number;
  /**
   * For connecting, and for each of banner and authentication. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 5.0
   */
  connect_timeout_seconds?: number;
  /**
   * For the probe's output. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 15.0
   */
  command_timeout_seconds?: number;
  /**
   * Pinned keys as `ssh-keyscan` prints them without the host: `ssh-ed25519 AAAA…`.
   * @default []
   */
  host_keys?: string[];
  /**
   * Accepts an unknown host key and keeps it; without it, and without `host_keys`, nothing is sent.
   * @default false
   */
  trust_on_first_use?: boolean;
  /**
   * `host` or `host:port` of a jump host that takes the same credential.
   */
  jump?: string | null;
  /**
   * Pinned keys of the jump host, in the form of `host_keys`; it is never trusted on first use.
   * @default []
   */
  jump_host_keys?: string[];
  interfaces?: HostInterfaceNames;
}

/**
 * Selection of vital signs to collect, whatever the protocol.
 */
export interface VitalSettings {
  /**
   * Whether `cpu_percent` is collected.
   * @default true
   */
  cpu?: boolean;
  /**
   * Whether `memory_percent`, `memory_used_bytes`, `memory_total_bytes` are collected.
   * @default true
   */
  memory?: boolean;
  /**
   * Whether `temperature_celsius` is collected.
   * @default true
   */
  temperature?: boolean;
  /**
   * Whether `disk_percent`, `disk_used_bytes`, `disk_total_bytes` are collected.
   * @default true
   */
  disk?: boolean;
  /**
   * Whether `fan_rpm` is collected.
   * @default true
   */
  fan_speed?: boolean;
  /**
   * Whether `fan_state` is collected.
   * @default true
   */
  fan_state?: boolean;
  /**
   * Whether `power_supply_state` is collected.
   * @default true
   */
  power_supply_state?: boolean;
  /**
   * Whether `battery_charge_percent` is collected.
   * @default true
   */
  battery_charge?: boolean;
  /**
   * Whether `battery_runtime_seconds` is collected.
   * @default true
   */
  battery_runtime?: boolean;
  /**
   * Whether `ups_load_percent` is collected.
   * @default true
   */
  ups_load?: boolean;
  /**
   * Whether `poe_watts` is collected.
   * @default true
   */
  poe?: boolean;
  /**
   * Whether `optical_rx_dbm` is collected.
   * @default false
   */
  optical_rx?: boolean;
  /**
   * Whether `optical_tx_dbm` is collected.
   * @default false
   */
  optical_tx?: boolean;
  /**
   * Whether `sessions` is collected.
   * @default true
   */
  sessions?: boolean;
  /**
   * Whether `wireless_clients` is collected.
   * @default true
   */
  clients?: boolean;
}

/**
 * WinRM, which carries WMI's queries; no process is started on the device.
 */
export interface WinrmSettings {
  /**
   * 5986 with TLS, 5985 without, unless set.
   */
  port?: number | null;
  /**
   * HTTPS; without it, NTLM still encrypts what is sent, Basic does not.
   * @default true
   */
  tls?: boolean;
  /**
   * Checks the server's certificate against the credential's `ca` or fingerprint, or the system's roots.
   * @default true
   */
  verify?: boolean;
  /**
   * For one query. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 10.0
   */
  operation_timeout_seconds?: number;
  /**
   * Whether a script is run: never, where WMI gave nothing, or always.
   * @default "never"
   */
  powershell?: "always" | "fallback" | "never";
}

/**
 * A line of an inventory in JSON lines. Version 1.2.
 */
export interface Inventory {
  /**
   * Its name for ever: the tag `device_id` of every point.
   */
  id: string | number;
  /**
   * For people, and dialled where there is no address.
   */
  hostname?: string | null;
  /**
   * None: `hostname` is resolved when the device is dialled.
   */
  ip_address?: string | null;
  /**
   * For people.
   */
  mac_address?: string | null;
  /**
   * `network`, `linux`, `windows`, or a type of the configuration document.
   */
  device_type?: string | null;
  /**
   * A name in the credential map, never a secret.
   */
  credential?: string | null;
  /**
   * Devices behind one line: limits and lost paths go by it.
   */
  site?: string | null;
  /**
   * The device through which this one is reached: while it is down, this one is `unreachable`.
   */
  parent_id?: string | number | null;
  /**
   * The group of collectors that polls it.
   */
  collector?: string | null;
  /**
   * False: it is not polled.
   */
  enabled?: boolean | null;
  /**
   * Until then changes are not announced: a time such as 2026-11-23T16:00:00Z, in UTC unless it has an offset, or seconds since the epoch.
   */
  maintenance_until?: number | string | null;
  /**
   * Overrides of the device type's `Policy`, in the same shape.
   */
  settings?: Policy | null;
}

/**
 * An entry of the credential map: a part for each protocol, or None.
 */
export interface Credential {
  snmp?: SnmpCredential | null;
  ssh?: SshCredential | null;
  winrm?: WinrmCredential | null;
}

/**
 * A community (v1, v2c), or a USM user (v3).
 */
export interface SnmpCredential {
  /**
   * `1` and `2c` need a community, `3` a user.
   * @default "2c"
   */
  version?: "1" | "2c" | "3";
  /**
   * The community that may read.
   */
  community?: string | null;
  /**
   * Of version 3: the USM user.
   */
  user?: string | null;
  /**
   * Of version 3: how messages are signed; goes with `auth_key`.
   */
  auth?: "MD5" | "SHA" | "SHA-1" | "SHA-224" | "SHA-256" | "SHA-384" | "SHA-512" | "SHA1" | "SHA224" | "SHA256" | "SHA384" | "SHA512" | null;
  /**
   * The passphrase to sign with: at least 8 characters.
   */
  auth_key?: string | null;
  /**
   * Of version 3: how messages are encrypted; goes with `priv_key`, and needs `auth`.
   */
  priv?: "3DES" | "AES" | "AES-128" | "AES-192" | "AES-192-C" | "AES-256" | "AES-256-C" | "AES128" | "AES192" | "AES192C" | "AES256" | "AES256C" | "DES" | null;
  /**
   * The passphrase to encrypt with: at least 8 characters.
   */
  priv_key?: string | null;
  /**
   * Of version 3: the context name, where the agent wants one.
   */
  context?: string;
}

/**
 * A user with a password, a private key (PEM or OpenSSH text), or both.
 */
export interface SshCredential {
  /**
   * Who logs in.
   */
  user: string;
  /**
   * Needed where there is no private key.
   */
  password?: string | null;
  /**
   * In PEM or OpenSSH's format.
   */
  private_key?: string | null;
  /**
   * Decrypts the private key.
   */
  passphrase?: string | null;
}

/**
 * A Windows account; `ca` and `certificate_sha256` say which server certificate is trusted.
 */
export interface WinrmCredential {
  /**
   * Who logs in: `user`, `DOMAIN\user` or `user@realm`.
   */
  user: string;
  /**
   * Needed by every transport but `certificate`.
   */
  password?: string | null;
  /**
   * How the account is proved.
   * @default "ntlm"
   */
  transport?: "basic" | "certificate" | "kerberos" | "ntlm";
  /**
   * The account's certificate, in PEM; goes with `private_key`, for the transport `certificate`.
   */
  certificate?: string | null;
  /**
   * The certificate's key, in PEM.
   */
  private_key?: string | null;
  /**
   * Certificates, in PEM, of the authorities that the server's is trusted by.
   */
  ca?: string | null;
  /**
   * The SHA-256 fingerprint of the server's own certificate, in hexadecimal.
   */
  certificate_sha256?: string | null;
}

/**
 * The credential map: each credential under the name by which the inventory's devices refer to it. Version 1.0.
 */
export type Credentials = Record<string, Credential>;

/**
 * Limits of one invocation of the collector.
 */
export interface CollectorSettings {
  /**
   * Devices of one site polled at the same time, so that a thin line to it is not flooded.
   * Limits: ≥ 1, ≤ 2000.
   * @default 50
   */
  max_concurrent_per_site?: number;
  /**
   * Whether points that stand still are written every 50 minutes only, or with each poll.
   * @default "changes"
   */
  store?: "changes" | "everything";
  /**
   * Of version 0.1; without effect.
   * @deprecated
   */
  max_concurrent_devices?: unknown;
  /**
   * Of version 0.1; without effect.
   * @deprecated
   */
  flush_reserve_seconds?: unknown;
}

/**
 * Settings that a device type changes.
 */
export interface DeviceType {
  /**
   * In order of preference: the next is tried where the one before gave nothing. Empty: ping only.
   * @default ["snmp"]
   */
  protocols?: ("snmp" | "ssh" | "winrm")[];
  /**
   * For everything that one poll of a device does; what was read by then is kept. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 45.0
   */
  device_timeout_seconds?: number;
  ping?: PingSettings;
  vitals?: VitalSettings;
  snmp?: SnmpSettings;
  ssh?: SshSettings;
  winrm?: WinrmSettings;
  /**
   * Between two checks of whether a device is up. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   * @default 30
   */
  status_interval_seconds?: number;
  /**
   * Between two polls of everything a device measures. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   * @default 300
   */
  metrics_interval_seconds?: number;
  /**
   * A device is offline no earlier than this after it was last seen. Unless set: three status intervals, where that is longer. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   */
  offline_timeout_seconds?: number;
  /**
   * A device is offline after no fewer polls in a row that failed.
   * Limits: ≥ 1, ≤ 100.
   * @default 2
   */
  offline_after_failures?: number;
  /**
   * A device is online again after this many polls in a row that were answered.
   * Limits: ≥ 1, ≤ 100.
   * @default 1
   */
  online_after_successes?: number;
  /**
   * A device that nobody tried for this long is `unknown`. Unless set: three status intervals, where that is longer. Unit: seconds.
   * Limits: ≥ 30, ≤ 86400.
   */
  missing_timeout_seconds?: number;
  /**
   * The device type that this one starts from; unless set, `defaults` and a built-in type of its name.
   */
  extends?: string;
}

/**
 * Limits and retries of writing to InfluxDB; its URL and token are a secret.
 */
export interface InfluxSettings {
  /**
   * Unless set: the secret's bucket, or `network_metrics` where that names none.
   */
  bucket?: string | null;
  /**
   * For one write request. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 10.0
   */
  timeout_seconds?: number;
  /**
   * How often a write is repeated while InfluxDB struggles; after that, points go to the spool queue.
   * Limits: ≥ 0, ≤ 10.
   * @default 3
   */
  retries?: number;
  /**
   * The pause before the first retry; it doubles with each, and is jittered. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 0.1
   */
  backoff_initial_seconds?: number;
  /**
   * The longest pause between retries. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 5.0
   */
  backoff_maximum_seconds?: number;
}

/**
 * Holds what applies to all devices when their status is decided.
 */
export interface StatusSettings {
  /**
   * A site of whose devices at least this share fail together has lost its path …
   * Limits: > 0.5, ≤ 1.
   * @default 0.9
   */
  site_lost_fraction?: number;
  /**
   * … if they are at least so many.
   * Limits: ≥ 2.
   * @default 3
   */
  site_minimum_devices?: number;
  /**
   * Whether devices behind a lost path are `offline` instead of `unknown`; the event stays the site's.
   * @default false
   */
  site_marks_offline?: boolean;
  /**
   * Every change between online and offline scores 1; from this score on outages are not announced …
   * Limits: ≥ 1.
   * @default 3.0
   */
  flap_threshold?: number;
  /**
   * … until it has decayed, by half in so many seconds.
   * Limits: > 0.
   * @default 900.0
   */
  flap_half_life_seconds?: number;
  /**
   * No poll of any device for so long is the collector's silence, and no run of this function for so long (or a clock that went back) is a gap: nothing that seems to have happened in it counts. Unit: seconds.
   * Limits: ≥ 60.
   * @default 300.0
   */
  silence_seconds?: number;
  /**
   * Each device's status is written to InfluxDB this often, changed or not. Unit: seconds.
   * Limits: ≥ 30, ≤ 86400.
   * @default 300
   */
  heartbeat_seconds?: number;
}

/**
 * A configuration document, in YAML or JSON. Version 1.2.
 */
export interface Configuration {
  /**
   * What is logged: this level and those above it.
   * @default "INFO"
   */
  log_level?: "DEBUG" | "ERROR" | "INFO" | "WARNING";
  /**
   * CIDRs in which devices may be dialled; nothing outside is.
   * @default ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
   */
  allowed_networks?: string[];
  /**
   * What every device type starts from: keys of `Policy`.
   */
  defaults?: Policy;
  /**
   * Changes to built-in types, and further types: keys of `Policy`, and `extends`.
   */
  device_types?: Record<string, DeviceType>;
  influxdb?: InfluxSettings;
  collector?: CollectorSettings;
  status?: StatusSettings;
  /**
   * Names this schema, for editors; without effect.
   */
  $schema?: string;
  /**
   * Of version 0.1; without effect.
   * @deprecated
   */
  fanout?: { jobs_per_message?: unknown; };
}

/**
 * Poll this device once, at `due_at`, and not after `expires_at` (seconds since the epoch).
 */
export interface Job {
  /**
   * Whether the device is up, or everything that it measures.
   */
  kind: "metrics" | "status";
  /**
   * As in the inventory.
   * Limits: characters ≥ 1, characters ≤ 256.
   */
  device_id: string;
  /**
   * What is dialled: an IP address, or a name to be resolved.
   * Limits: characters ≥ 1, characters ≤ 256.
   */
  address: string;
  /**
   * Seconds since the epoch; a device is polled once for each.
   */
  due_at: number;
  /**
   * Seconds since the epoch; a job that is found later is dropped.
   */
  expires_at: number;
  /**
   * Seconds between two polls of this kind; 0 where the sender did not say.
   * @default 0
   */
  interval?: number;
  /**
   * A type of the configuration document.
   * Limits: characters ≤ 256.
   * @default "network"
   */
  device_type?: string;
  /**
   * For people.
   * Limits: characters ≤ 256.
   */
  hostname?: string;
  /**
   * Devices behind one line: limits go by it.
   * Limits: characters ≤ 256.
   */
  site?: string;
  /**
   * A name in the credential map, never a secret.
   * Limits: characters ≤ 256.
   */
  credential?: string;
  /**
   * How it is polled; what is left out is the default.
   */
  settings?: PollSettings;
  /**
   * What the poll can't do without where `device_state` can't be read: host keys, refused credentials.
   */
  memory?: Record<string, unknown>;
  /**
   * The device has not answered for longer than its time-out: it is tried twice and briefly.
   * @default false
   */
  silent?: boolean;
}

/**
 * The part of a policy that collectors need; travels in the job.
 */
export interface PollSettings {
  /**
   * In order of preference: the next is tried where the one before gave nothing. Empty: ping only.
   * @default ["snmp"]
   */
  protocols?: ("snmp" | "ssh" | "winrm")[];
  /**
   * For everything that one poll of a device does; what was read by then is kept. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 45.0
   */
  device_timeout_seconds?: number;
  ping?: PingSettings;
  vitals?: VitalSettings;
  snmp?: SnmpSettings;
  ssh?: SshSettings;
  winrm?: WinrmSettings;
}

/**
 * The body of a message in a job queue, not deflated. Version 1.2.
 */
export interface JobMessage {
  /**
   * Another number means that something which stands here has changed its meaning.
   */
  version: 1;
  /**
   * Each is polled on its own: one that can't be used costs the others nothing.
   * Limits: items ≥ 1, items ≤ 1000.
   */
  jobs: Job[];
}

/**
 * Says why a device has its status; a closed list, fit for filters.
 */
export type Cause = "" | "answered" | "collector_silent" | "no_answer" | "not_measurable" | "not_polled" | "parent_down" | "path_lost";

/**
 * The device that an event is about.
 */
export interface EventDevice {
  /**
   * As in the inventory.
   */
  id: string;
  /**
   * As in the inventory; empty where it has none.
   */
  hostname: string;
  /**
   * Its device type, such as `network`.
   */
  type: string;
}

/**
 * Texts on one line, fit for a JSON string without escaping.
 */
export interface Notice {
  /**
   * What has changed, in at most 120 characters.
   */
  title: string;
  /**
   * Why, in at most 500 characters.
   */
  text: string;
  /**
   * Title and text with `&` as Slack wants it.
   */
  slack: string;
  /**
   * By what the device, the site or the fleet is now.
   */
  severity: "critical" | "info" | "warning";
  /**
   * The same for an outage and its end.
   */
  key: string;
}

/**
 * The detail of an event that announces a change of status. Version 1.0.
 */
export interface StatusEvent {
  /**
   * Another number means that something which stands here has changed its meaning.
   */
  version: 1;
  /**
   * The same however often the event is delivered.
   */
  id: string;
  /**
   * What has changed.
   */
  scope: "device" | "fleet" | "site";
  /**
   * Null unless the scope is `device`.
   */
  device: EventDevice | null;
  /**
   * The device's site, or the one whose path was lost; empty where there is none.
   */
  site: string;
  /**
   * What was announced last, which is not always the status before.
   */
  before: "lost" | "offline" | "online" | "polled" | "reachable" | "silent" | "unknown" | "unreachable";
  /**
   * Of a device its status; a site is `reachable` or `lost`, the fleet `polled` or `silent`.
   */
  after: "lost" | "offline" | "online" | "polled" | "reachable" | "silent" | "unknown" | "unreachable";
  /**
   * Why, for filters.
   */
  cause: Cause;
  /**
   * Why, for a person.
   */
  detail: string;
  /**
   * When it began, in UTC.
   */
  since: string;
  /**
   * When the status function decided so, in UTC; of two events of a device the later one holds.
   */
  decided_at: string;
  /**
   * There, and true, in the one event which says that a device flaps.
   * @default false
   */
  flapping?: boolean;
  /**
   * Texts for people that need no escaping on their way.
   */
  notice: Notice;
}

/**
 * What was measured: kind, unit and limits of its values. A counter only goes up.
 */
export type MetricName = "ping_status" | "ping_rtt_ms" | "ping_loss_percent" | "uptime_seconds" | "agent_uptime_seconds" | "cpu_percent" | "memory_percent" | "memory_used_bytes" | "memory_total_bytes" | "temperature_celsius" | "disk_percent" | "disk_used_bytes" | "disk_total_bytes" | "fan_rpm" | "fan_state" | "power_supply_state" | "battery_charge_percent" | "battery_runtime_seconds" | "ups_load_percent" | "poe_watts" | "optical_rx_dbm" | "optical_tx_dbm" | "sessions" | "wireless_clients" | "net_bytes_in" | "net_bytes_out" | "net_errors_in" | "net_errors_out" | "net_discards_in" | "net_discards_out" | "net_speed_bps" | "net_oper_status" | "net_discontinuity_seconds" | "collect_ok" | "collect_duration_ms";

/**
 * One value of one metric.
 */
export interface PointLine {
  metric_name: MetricName;
  /**
   * In the metric's unit; of a counter its reading.
   */
  value?: number;
  /**
   * In the place of a counter's `value`, with `--rate`: the metric's unit per second.
   */
  per_second?: number;
  /**
   * Which one, where a device has several, such as an interface; left out for the whole device.
   */
  instance?: string;
  /**
   * The interface's ifIndex; left out where there is none.
   */
  if_index?: number | null;
}

/**
 * Reason why a device gave less than was asked; a closed list, fit for a metric's dimension.
 */
export type Reason = "auth" | "bad_address" | "bad_credential" | "host_key" | "internal" | "ok" | "partial" | "protocol" | "refused" | "timeout" | "unreachable" | "unsupported";

/**
 * A line of `netvitals poll --format jsonl`. Version 1.2.
 */
export interface PollLine {
  /**
   * As in the inventory, or the address that was polled.
   */
  device_id: string;
  /**
   * Whether the device gave any reply at all.
   */
  reachable: boolean;
  /**
   * What proved it alive, or was tried last: `icmp`, `tcp`, `snmp`, `ssh`, `winrm`.
   */
  method: string;
  /**
   * `ok`, or why the device gave less than was asked.
   */
  reason: Reason;
  /**
   * For a person: which part is missing, why, and what to do. Programs go by `reason`.
   */
  detail: string;
  /**
   * How long the poll took, in milliseconds.
   */
  duration_ms: number;
  /**
   * The values that were read.
   */
  points: PointLine[];
}
