package gateway

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/pattern"
)

var (
	guidForm  = pattern.Later(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	nameForm  = pattern.Later(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)
	hostForm  = pattern.Later(`^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$`)
	pathForm  = pattern.Later(`^(?:/|(?:/[A-Za-z0-9._~!$+,=:@-]+)+)$`)
	contextIs = pattern.Later(`^c[1-9][0-9]?$`)
	rampForm  = pattern.Later(`^ramp ([1-9][0-9]?)%$`)
	sizeForm  = pattern.Later(`^([1-9][0-9]{0,8})(B|KB|MB|GB)$`)
	dayForm   = pattern.Later(`^([1-9][0-9]{0,3})d$`)
)

// guid gives an id in lower case.
func guid(s string) (string, bool) {
	s = strings.ToLower(s)
	return s, guidForm.MatchString(s)
}

// span reads a duration: Go's form, or whole days.
func span(s string) (time.Duration, bool) {
	if m := dayForm.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1])
		return time.Duration(n) * 24 * time.Hour, true
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

// size reads bytes; KB, MB and GB are powers of 1024.
func size(s string) (int64, bool) {
	m := sizeForm.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	return n << map[string]uint{"B": 0, "KB": 10, "MB": 20, "GB": 30}[m[2]], true
}

// moment reads a day, from its beginning in UTC, or an instant.
func moment(s string) (at time.Time, day, ok bool) {
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		return at, true, true
	}
	at, err := time.Parse(time.RFC3339, s)
	return at.UTC(), false, err == nil
}

// mode reads a mode with its share.
func mode(s string) (Mode, int, bool) {
	switch s {
	case "off":
		return Off, 0, true
	case "report":
		return Report, 0, true
	case "enforce":
		return Enforce, 0, true
	}
	if m := rampForm.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1])
		return Ramp, n, true
	}
	return Enforce, 0, false
}

// String is the phase's mode as the file writes it: "ramp 20%".
func (p Phase) String() string {
	if p.Mode == Ramp {
		return "ramp " + strconv.Itoa(p.Share) + "%"
	}
	return p.Mode.String()
}

// hardness orders phases: whoever is refused in one is refused in every harder one.
func (p Phase) hardness() int {
	switch p.Mode {
	case Off:
		return 0
	case Report:
		return 1
	case Ramp:
		return 1 + p.Share
	}
	return 101
}

// place checks host:port and says whether it is this very machine's.
func place(at string) (loopback, ok bool) {
	host, port, err := net.SplitHostPort(at)
	n, perr := strconv.ParseUint(port, 10, 16)
	if err != nil || perr != nil || strconv.FormatUint(n, 10) != port || strings.ContainsAny(host, " /\\@") {
		return false, false
	}
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback(), true
}

// network reads a network, or one address.
func network(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() || p.Masked() != p {
		return netip.Prefix{}, false
	}
	return p, true
}

// host gives a route's host in lower case.
func host(s string) (string, bool) {
	s = strings.ToLower(s)
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil && a.Zone() == "" {
		return a.Unmap().String(), true
	}
	rest, wild := strings.CutPrefix(s, "*.")
	if wild && !strings.Contains(rest, ".") { // *.example would be everybody's under it
		return "", false
	}
	return s, len(s) <= 253 && hostForm.MatchString(s)
}

// isPath says whether a text may be a route's path.
func isPath(s string) bool {
	if len(s) > maxPath || !pathForm.MatchString(s) {
		return false
	}
	for seg := range strings.SplitSeq(s[1:], "/") {
		if seg == "." || seg == ".." {
			return false
		}
	}
	return strings.Count(s, "/") <= maxSegments
}

// origin checks an upstream's address and gives it in one form.
func origin(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery ||
		u.Fragment != "" || u.Path != "" && u.Path != "/" || strings.ContainsAny(u.Host, "*%") {
		return "", false
	}
	if p := u.Port(); strings.HasSuffix(u.Host, ":") || p != "" && !isPort(p) {
		return "", false
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), true
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == s
}
