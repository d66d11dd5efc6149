package ca

import (
	"net"
	"slices"
	"strings"

	"partnerguard/internal/entra"
)

// Hosts are the DNS names the root may vouch for, each with the names below it:
// the production hosts of the services the partner cloud plays, those of the
// sovereign clouds, and localhost. The slice is the caller's.
func Hosts() []string {
	others := []string{entra.PartnerHost, entra.M365AdminHost, entra.OutlookHost, entra.SMTPHost, entra.OfficeManageHost,
		entra.KeyVaultHost, entra.AADGraphHost, "localhost"}
	return slices.Concat(entra.AuthorityHosts(), entra.GraphHosts(), entra.CenterHosts(), entra.ARMHosts(), others)
}

// networks are the addresses the root may vouch for.
func networks() []*net.IPNet {
	return []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
}

// canonical lowers a name and takes the root dot off.
func canonical(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// permitted says whether the root's constraint lets it vouch for name, which
// is canonical: a host of the list or a name below one, or a loopback address.
func permitted(name string) bool {
	if ip := net.ParseIP(name); ip != nil {
		return slices.ContainsFunc(networks(), func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	if !hostname(name) {
		return false
	}
	return slices.ContainsFunc(Hosts(), func(h string) bool { return name == h || strings.HasSuffix(name, "."+h) })
}

// hostname says whether name is spelled like a host name (RFC 1123): a name
// from a client's hello goes into a certificate only when it is.
func hostname(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}
