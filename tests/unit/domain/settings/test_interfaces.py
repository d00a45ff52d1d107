"""Interfaces that come and go are not collected unless somebody asks for them."""

import pytest

from netvitals.collectors.snmp.protocol import SNMP
from netvitals.collectors.ssh.protocol import SSH
from netvitals.domain.settings.configuration import configuration_from
from netvitals.domain.settings.interfaces import HostInterfaceNames, InterfaceNames

TRANSIENT = """
    veth1a2b3c4 vethwepl0123456 br-0123456789ab podman0 lxcbr0 lxdbr0 cni0 cali0123456789a
    flannel.1 cilium_host kube-ipvs0 eni0123456789a azv0123456789a gke0123456789a
    virbr0 virbr0-nic vnet12 tap100i0 tap0 qbr0a1b2c3d-4e qvo0a1b2c3d-4e fwbr100i0 fwpr100p0 vmnet8 epair0b
    pppoe0 pppoe-17 <pppoe-alice> <l2tp-bob> Vi1 Vi2.17 Virtual-Access3
"""
OF_A_HOST = "docker0 docker_gwbridge tun0 utun4 ppp0"
LASTING = """
    eth0 ens18 enp3s0f1 eno1 bond0 team0 wlan0 bridge0 br-lan br0 vmbr0 br-int lo em0 igb0 vtnet0
    vmx0 vlan100 wg0 pppoe-wan pppoe-out1 l2tp-out1 Tunnel1 Tu1 tunnel.1 Vlan1 Vi vl100 Gi1/0/1
    GigabitEthernet1/0/1 Ethernet1 ether1 ge-0/0/0.0 xe-0/0/1 port1 1 A1 Dialer1 Di1
    Virtual-Template1 Vt1 mgmt0 Po1 ae0 lag1 Management1 ipsec0 <1.2>/3:4
"""


@pytest.mark.parametrize("name", TRANSIENT.split())
def test_what_a_container_a_machine_or_a_user_brings_is_left_out(name: str) -> None:
    assert not InterfaceNames().wants(name)
    assert not HostInterfaceNames().wants(name)
    assert InterfaceNames(exclude_names=None).wants(name)


@pytest.mark.parametrize("name", OF_A_HOST.split())
def test_a_tunnel_of_a_router_is_configured_and_one_of_a_host_comes_and_goes(name: str) -> None:
    assert InterfaceNames().wants(name)
    assert not HostInterfaceNames().wants(name)
    assert HostInterfaceNames(exclude_names=None).wants(name)


@pytest.mark.parametrize("name", LASTING.split())
def test_what_stays_is_collected(name: str) -> None:
    assert InterfaceNames().wants(name)
    assert HostInterfaceNames().wants(name)


def test_a_pattern_of_ones_own_takes_the_place_of_the_default() -> None:
    own = InterfaceNames(exclude_names="^eth")
    assert (own.wants("eth0"), own.wants("veth0")) == (False, True)
    only = InterfaceNames(include_names="^(eth|veth)")
    assert (only.wants("eth0"), only.wants("veth0"), only.wants("wlan0")) == (True, False, False)


@pytest.mark.parametrize(("device_type", "collected"), [("network", True), ("linux", False)])
def test_a_linux_host_is_a_host_over_snmp_as_over_ssh(device_type: str, *, collected: bool) -> None:
    policy = configuration_from(None, "no document").policy(device_type, {})
    assert SNMP.settings_of(policy).interfaces.wants("docker0") is collected
    assert not SNMP.settings_of(policy).interfaces.wants("veth1a2b3c4")
    assert not SSH.settings_of(policy).interfaces.wants("docker0")
    own = {"snmp": {"interfaces": {"exclude_names": None}}}
    policy = configuration_from({"device_types": {device_type: own}}, "a document").policy(device_type, {})
    assert SNMP.settings_of(policy).interfaces.wants("veth1a2b3c4")


def test_a_long_name_is_no_trap() -> None:
    assert InterfaceNames().wants("br-" + "0" * 100_000 + "x")
