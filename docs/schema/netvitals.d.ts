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
   * A regular expression as in `include_names`: no interface in whose name it is found. Unless set: those that containers, virtual machines, VPNs and dial-in users bring; null collects them as well.
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
   * A regular expression as in `include_names`: no interface in whose name it is found. Unless set: those that containers, virtual machines and dial-in users bring; null collects them as well.
   * @default "^(veth|br-[0-9a-f]{12}$|podman|lxc|lxd|cni\\d|cali|flannel|cilium|kube-|(azv|eni|gke)[0-9a-f]{11}$|virbr|vnet\\d|tap|q(br|vb|vo)[0-9a-f]|fw(br|ln|pr)\\d|vmnet|epair\\d|pppoe-?\\d|<\\w+-|Vi(rtual-Access)?\\d)"
   */
  exclude_names?: string | null;
  /**
   * Numbers of IANAifType, such as 24 for softwareLoopback, whose interfaces are left out.
   * @default []
   */
  exclude_types?: number[];
  /**
   * True selects only interfaces whose ifOperStatus is up.
   * @default false
   */
  only_oper_up?: boolean;
  /**
   * True selects only interfaces whose ifAdminStatus is up.
   * @default false
   */
  only_admin_up?: boolean;
  /**
   * True adds ifAlias, the operator's own description, as the tag `alias`; renaming then starts a new series.
   * @default false
   */
  alias_tag?: boolean;
}

/**
 * The host probe: ICMP echo, or TCP connections where ICMP is not permitted.
 */
export interface PingSettings {
  /**
   * True where the host is probed; a protocol's own reply proves a device alive as well.
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
   * Time limit of the whole probe, however much it tries. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 1.0
   */
  timeout_seconds?: number;
  /**
   * Ports to try where the process may not send ICMP; a refusal by the host itself proves it alive as well.
   * @default [22, 443, 80]
   */
  tcp_ports?: number[];
}

/**
 * All that a device type or a device may set.
 */
export interface Policy {
  /**
   * Protocols in order of preference: the next is tried where the one before gave nothing. Empty: ping only.
   * @default ["snmp"]
   */
  protocols?: ("snmp" | "ssh" | "winrm")[];
  /**
   * Time limit of everything that one poll of a device does; what was read by then is kept. Unit: seconds.
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
   * Time between two checks of whether a device is up. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   * @default 30
   */
  status_interval_seconds?: number;
  /**
   * Time between two polls of everything a device measures. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   * @default 300
   */
  metrics_interval_seconds?: number;
  /**
   * Time since a device was last seen before which it is not offline. Unless set: three status intervals, where that is longer. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   */
  offline_timeout_seconds?: number;
  /**
   * Least number of polls in a row that failed before a device is offline.
   * Limits: ≥ 1, ≤ 100.
   * @default 2
   */
  offline_after_failures?: number;
  /**
   * Number of polls in a row that were answered after which a device is online again.
   * Limits: ≥ 1, ≤ 100.
   * @default 1
   */
  online_after_successes?: number;
  /**
   * Time without a poll after which a device is `unknown`. Unless set: three status intervals, where that is longer. Unit: seconds.
   * Limits: ≥ 30, ≤ 86400.
   */
  missing_timeout_seconds?: number;
}

/**
 * Settings of SNMP, versions 1, 2c and 3; the credential says which version, and the user.
 */
export interface SnmpSettings {
  /**
   * UDP port of the agent.
   * Limits: ≥ 1, ≤ 65535.
   * @default 161
   */
  port?: number;
  /**
   * Version that overrides the credential's where both are of communities.
   */
  version?: "1" | "2c" | "3" | null;
  /**
   * Time limit of the answer to one request. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 2.0
   */
  timeout_seconds?: number;
  /**
   * Number of times that a request without an answer is repeated.
   * Limits: ≥ 0, ≤ 10.
   * @default 2
   */
  retries?: number;
  /**
   * Limit of the rows asked for in one GETBULK: their number adapts to what the device can answer.
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
   * Limit of the values read in one poll: a guard against devices whose tables do not end.
   * Limits: ≥ 100, ≤ 1000000.
   * @default 100000
   */
  max_varbinds?: number;
  /**
   * Profile in place of the one that sysObjectID selects.
   */
  profile?: string | null;
  interfaces?: InterfaceFilter;
}

/**
 * Settings of SSH, over which one probe of POSIX shell is run; it leaves nothing behind.
 */
export interface SshSettings {
  /**
   * TCP port of the server.
   * Limits: ≥ 1, ≤ 65535.
   * @default 22
   */
  port?: number;
  /**
   * Time limit of connecting, and of each of banner and authentication. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 5.0
   */
  connect_timeout_seconds?: number;
  /**
   * Time limit of the probe's output. Unit: seconds.
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
   * True accepts an unknown host key and keeps it; without it, and without `host_keys`, nothing is sent.
   * @default false
   */
  trust_on_first_use?: boolean;
  /**
   * Jump host that takes the same credential, as `host` or `host:port`.
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
   * True where `cpu_percent` is collected.
   * @default true
   */
  cpu?: boolean;
  /**
   * True where `memory_percent`, `memory_used_bytes`, `memory_total_bytes` are collected.
   * @default true
   */
  memory?: boolean;
  /**
   * True where `temperature_celsius` is collected.
   * @default true
   */
  temperature?: boolean;
  /**
   * True where `disk_percent`, `disk_used_bytes`, `disk_total_bytes` are collected.
   * @default true
   */
  disk?: boolean;
  /**
   * True where `fan_rpm` is collected.
   * @default true
   */
  fan_speed?: boolean;
  /**
   * True where `fan_state` is collected.
   * @default true
   */
  fan_state?: boolean;
  /**
   * True where `power_supply_state` is collected.
   * @default true
   */
  power_supply_state?: boolean;
  /**
   * True where `battery_charge_percent` is collected.
   * @default true
   */
  battery_charge?: boolean;
  /**
   * True where `battery_runtime_seconds` is collected.
   * @default true
   */
  battery_runtime?: boolean;
  /**
   * True where `ups_load_percent` is collected.
   * @default true
   */
  ups_load?: boolean;
  /**
   * True where `poe_watts` is collected.
   * @default true
   */
  poe?: boolean;
  /**
   * True where `optical_rx_dbm` is collected.
   * @default false
   */
  optical_rx?: boolean;
  /**
   * True where `optical_tx_dbm` is collected.
   * @default false
   */
  optical_tx?: boolean;
  /**
   * True where `sessions` is collected.
   * @default true
   */
  sessions?: boolean;
  /**
   * True where `wireless_clients` is collected.
   * @default true
   */
  clients?: boolean;
}

/**
 * Settings of WinRM, over which WMI is queried; no process is started on the device.
 */
export interface WinrmSettings {
  /**
   * TCP port of the listener. Unless set: 5986 with TLS, 5985 without.
   */
  port?: number | null;
  /**
   * True for HTTPS; without it, NTLM still encrypts all messages, and Basic is not used.
   * @default true
   */
  tls?: boolean;
  /**
   * True checks the server's certificate against the credential's `ca` or fingerprint, or the system's roots.
   * @default true
   */
  verify?: boolean;
  /**
   * Time limit of one query. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 10.0
   */
  operation_timeout_seconds?: number;
  /**
   * Cases in which a script replaces WMI's queries: `never`, as a `fallback` where WMI gave nothing, or `always`.
   * @default "never"
   */
  powershell?: "always" | "fallback" | "never";
}

/**
 * A line of an inventory in JSON lines. Version 1.2.
 */
export interface Inventory {
  /**
   * Permanent name of the device: the tag `device_id` of every point.
   */
  id: string | number;
  /**
   * Name for people, dialled where there is no address.
   */
  hostname?: string | null;
  /**
   * IP address to dial; None: `hostname` is resolved when the device is dialled.
   */
  ip_address?: string | null;
  /**
   * MAC address: for people, and for discovery to recognise a device that has moved.
   */
  mac_address?: string | null;
  /**
   * Device type: `network`, `linux`, `windows`, or one of the configuration document.
   */
  device_type?: string | null;
  /**
   * Name of an entry of the credential map, never a secret.
   */
  credential?: string | null;
  /**
   * Name shared by the devices behind one line: limits and lost paths go by it.
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
   * True where the device is polled.
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
   * Version of SNMP: `1` and `2c` need a community, `3` a user.
   * @default "2c"
   */
  version?: "1" | "2c" | "3";
  /**
   * Community that may read.
   */
  community?: string | null;
  /**
   * USM user of version 3.
   */
  user?: string | null;
  /**
   * Authentication protocol of version 3, which signs messages; goes with `auth_key`.
   */
  auth?: "MD5" | "SHA" | "SHA-1" | "SHA-224" | "SHA-256" | "SHA-384" | "SHA-512" | "SHA1" | "SHA224" | "SHA256" | "SHA384" | "SHA512" | null;
  /**
   * Passphrase to sign with: at least 8 characters.
   */
  auth_key?: string | null;
  /**
   * Privacy protocol of version 3, which encrypts messages; goes with `priv_key`, and needs `auth`.
   */
  priv?: "3DES" | "AES" | "AES-128" | "AES-192" | "AES-192-C" | "AES-256" | "AES-256-C" | "AES128" | "AES192" | "AES192C" | "AES256" | "AES256C" | "DES" | null;
  /**
   * Passphrase to encrypt with: at least 8 characters.
   */
  priv_key?: string | null;
  /**
   * Context name of version 3, where the agent wants one.
   */
  context?: string;
}

/**
 * A user with a password, a private key (PEM or OpenSSH text), or both.
 */
export interface SshCredential {
  /**
   * User that logs in.
   */
  user: string;
  /**
   * Password of the user; needed where there is no private key.
   */
  password?: string | null;
  /**
   * Private key of the user, in PEM or OpenSSH's format.
   */
  private_key?: string | null;
  /**
   * Passphrase of the private key, where it is encrypted.
   */
  passphrase?: string | null;
}

/**
 * A Windows account; `ca` and `certificate_sha256` say which server certificate is trusted.
 */
export interface WinrmCredential {
  /**
   * Account that logs in: `user`, `DOMAIN\user` or `user@realm`.
   */
  user: string;
  /**
   * Password of the account; needed by every transport but `certificate`.
   */
  password?: string | null;
  /**
   * Method of the login.
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
   * Devices of one site polled at the same time, so that a slow link to it is not flooded.
   * Limits: ≥ 1, ≤ 2000.
   * @default 50
   */
  max_concurrent_per_site?: number;
  /**
   * Points to write: `changes` writes unchanged ones every 50 minutes only, `everything` with each poll.
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
   * Protocols in order of preference: the next is tried where the one before gave nothing. Empty: ping only.
   * @default ["snmp"]
   */
  protocols?: ("snmp" | "ssh" | "winrm")[];
  /**
   * Time limit of everything that one poll of a device does; what was read by then is kept. Unit: seconds.
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
   * Time between two checks of whether a device is up. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   * @default 30
   */
  status_interval_seconds?: number;
  /**
   * Time between two polls of everything a device measures. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   * @default 300
   */
  metrics_interval_seconds?: number;
  /**
   * Time since a device was last seen before which it is not offline. Unless set: three status intervals, where that is longer. Unit: seconds.
   * Limits: ≥ 10, ≤ 86400.
   */
  offline_timeout_seconds?: number;
  /**
   * Least number of polls in a row that failed before a device is offline.
   * Limits: ≥ 1, ≤ 100.
   * @default 2
   */
  offline_after_failures?: number;
  /**
   * Number of polls in a row that were answered after which a device is online again.
   * Limits: ≥ 1, ≤ 100.
   * @default 1
   */
  online_after_successes?: number;
  /**
   * Time without a poll after which a device is `unknown`. Unless set: three status intervals, where that is longer. Unit: seconds.
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
   * Bucket to write. Unless set: the secret's bucket, or `network_metrics` where that names none.
   */
  bucket?: string | null;
  /**
   * Time limit of one write request. Unit: seconds.
   * Limits: > 0, ≤ 900.
   * @default 10.0
   */
  timeout_seconds?: number;
  /**
   * Number of times that a write is repeated while InfluxDB struggles; after that, points go to the spool queue.
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
 * Settings of the status decision, the same for all devices.
 */
export interface StatusSettings {
  /**
   * Share of a site's devices that fail together from which on the path to the site is lost.
   * Limits: > 0.5, ≤ 1.
   * @default 0.9
   */
  site_lost_fraction?: number;
  /**
   * Least number of a site's devices that fail together before the path to the site is lost.
   * Limits: ≥ 2.
   * @default 3
   */
  site_minimum_devices?: number;
  /**
   * True makes devices behind a lost path `offline` instead of `unknown`; the event stays the site's.
   * @default false
   */
  site_marks_offline?: boolean;
  /**
   * Flapping score from which on a device's outages are not announced: each change between online and offline scores 1.
   * Limits: ≥ 1.
   * @default 3.0
   */
  flap_threshold?: number;
  /**
   * Time in which a device's flapping score decays by half. Unit: seconds.
   * Limits: > 0.
   * @default 900.0
   */
  flap_half_life_seconds?: number;
  /**
   * Time without a poll of any device that is the collector's silence. No run of this function for as long (or a clock that went back) is a gap: silence of devices within it does not count. Unit: seconds.
   * Limits: ≥ 60.
   * @default 300.0
   */
  silence_seconds?: number;
  /**
   * Time between two points of each device's status in InfluxDB while it does not change. Unit: seconds.
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
   * Lowest level that is logged.
   * @default "INFO"
   */
  log_level?: "DEBUG" | "ERROR" | "INFO" | "WARNING";
  /**
   * CIDRs in which devices may be polled; nothing outside is.
   * @default ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
   */
  allowed_networks?: string[];
  /**
   * Settings that every device type starts from: keys of `Policy`.
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
 * An order to poll a device once, at `due_at`, and not after `expires_at` (seconds since the epoch).
 */
export interface Job {
  /**
   * Kind of poll: `status` asks whether the device is up, `metrics` everything that it measures.
   */
  kind: "metrics" | "status";
  /**
   * Id of the device in the inventory.
   * Limits: characters ≥ 1, characters ≤ 256.
   */
  device_id: string;
  /**
   * Address to dial: an IP address, or a name to be resolved.
   * Limits: characters ≥ 1, characters ≤ 256.
   */
  address: string;
  /**
   * Time at which the poll is due, in seconds since the epoch; a device is polled once for each.
   */
  due_at: number;
  /**
   * Time after which the job is dropped, in seconds since the epoch.
   */
  expires_at: number;
  /**
   * Seconds between two polls of this kind; 0 where the sender did not say.
   * @default 0
   */
  interval?: number;
  /**
   * Device type: built in, or of the configuration document.
   * Limits: characters ≤ 256.
   * @default "network"
   */
  device_type?: string;
  /**
   * Host name of the device, for people.
   * Limits: characters ≤ 256.
   */
  hostname?: string;
  /**
   * Name shared by the devices behind one line: limits go by it.
   * Limits: characters ≤ 256.
   */
  site?: string;
  /**
   * Name of an entry of the credential map, never a secret.
   * Limits: characters ≤ 256.
   */
  credential?: string;
  /**
   * Settings of the poll; a key that is left out has its default.
   */
  settings?: PollSettings;
  /**
   * Device memory that the poll can't do without where `device_state` can't be read: host keys, refused credentials.
   */
  memory?: Record<string, unknown>;
  /**
   * True where the device has not answered for longer than its timeout: it is tried twice and briefly.
   * @default false
   */
  silent?: boolean;
}

/**
 * The part of a policy that collectors need; travels in the job.
 */
export interface PollSettings {
  /**
   * Protocols in order of preference: the next is tried where the one before gave nothing. Empty: ping only.
   * @default ["snmp"]
   */
  protocols?: ("snmp" | "ssh" | "winrm")[];
  /**
   * Time limit of everything that one poll of a device does; what was read by then is kept. Unit: seconds.
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
   * Version of the format; another number means that a key has changed its meaning.
   */
  version: 1;
  /**
   * Each is polled on its own: one that can't be used costs the others nothing.
   * Limits: items ≥ 1, items ≤ 1000.
   */
  jobs: Job[];
}

/**
 * Cause of a device's status; a closed list, fit for filters.
 */
export type Cause = "" | "answered" | "collector_silent" | "no_answer" | "not_measurable" | "not_polled" | "parent_down" | "path_lost";

/**
 * The device that an event is about.
 */
export interface EventDevice {
  /**
   * The device's id in the inventory.
   */
  id: string;
  /**
   * The device's hostname in the inventory; empty where it has none.
   */
  hostname: string;
  /**
   * The device type, such as `network`.
   */
  type: string;
}

/**
 * Texts on one line, fit for a JSON string without escaping.
 */
export interface Notice {
  /**
   * Text that says what has changed, in at most 120 characters.
   */
  title: string;
  /**
   * Text that says why, in at most 500 characters.
   */
  text: string;
  /**
   * Title and text together, `&` escaped as Slack wants it.
   */
  slack: string;
  /**
   * Severity, which follows from the new status of the device, the site or the fleet.
   */
  severity: "critical" | "info" | "warning";
  /**
   * Key for deduplication, the same for an outage and its end; at most 207 characters.
   */
  key: string;
}

/**
 * The detail of an event that announces a change of status. Version 1.0.
 */
export interface StatusEvent {
  /**
   * Version of this format: it changes when the meaning of a key changes, not when keys are added.
   */
  version: 1;
  /**
   * Id of the event, the same however often it is delivered.
   */
  id: string;
  /**
   * The kind of thing that has changed.
   */
  scope: "device" | "fleet" | "site";
  /**
   * The device that has changed; null unless the scope is `device`.
   */
  device: EventDevice | null;
  /**
   * The device's site, or the one whose path was lost; empty where there is none.
   */
  site: string;
  /**
   * The status that was announced last, which is not always the status before.
   */
  before: "lost" | "offline" | "online" | "polled" | "reachable" | "silent" | "unknown" | "unreachable";
  /**
   * The new status of a device; of a site `reachable` or `lost`, of the fleet `polled` or `silent`.
   */
  after: "lost" | "offline" | "online" | "polled" | "reachable" | "silent" | "unknown" | "unreachable";
  /**
   * The cause of the change, one of a closed list, fit for filters.
   */
  cause: Cause;
  /**
   * The cause of the change in words, for a person.
   */
  detail: string;
  /**
   * Time at which the new status began, in UTC.
   */
  since: string;
  /**
   * Time of the decision, in UTC; of two events of a device the later one holds.
   */
  decided_at: string;
  /**
   * True in the one event which says that a device flaps; left out of all others.
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
   * Value in the metric's unit; a counter's reading.
   */
  value?: number;
  /**
   * Rate of a counter in the metric's unit per second, with `--rate`, in the place of `value`.
   */
  per_second?: number;
  /**
   * Name of the part that was measured, such as an interface; left out for the whole device.
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
   * Id of the device in the inventory, or the address that was polled.
   */
  device_id: string;
  /**
   * True where the device gave any reply at all.
   */
  reachable: boolean;
  /**
   * Protocol that proved it alive, or was tried last: `icmp`, `tcp`, `snmp`, `ssh`, `winrm`.
   */
  method: string;
  /**
   * `ok`, or why the device gave less than was asked.
   */
  reason: Reason;
  /**
   * Text for a person: the part that is missing, the cause and the remedy. Programs use `reason`.
   */
  detail: string;
  /**
   * Duration of the poll, in milliseconds.
   */
  duration_ms: number;
  /**
   * The values that were read.
   */
  points: PointLine[];
}
