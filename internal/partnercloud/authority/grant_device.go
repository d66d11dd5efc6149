package authority

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// device is a device code under way (RFC 8628). It is kept by the hash of its
// device code and by its user code.
type device struct {
	hash   string
	code   string // user code
	client *client
	path   string
	target *target
	ask    *oauth.ClaimsRequest
	v1     bool
	begun  time.Time

	mu       sync.Mutex // guards the rest
	polled   time.Time
	interval time.Duration
	state    deviceState
	proof    proof
	tenant   string
	from     *origin // of the sign-in that approved it
}

type deviceState int

const (
	waiting deviceState = iota
	approved
	declined
	spent
)

const (
	deviceLife = 15 * time.Minute
	devicePoll = 5 * time.Second
)

// userCode is nine letters without vowels, digits or look-alikes.
func userCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	var b [9]byte
	out := make([]byte, 0, 9)
	for len(out) < 9 {
		_, _ = rand.Read(b[:])
		for _, c := range b {
			if c < 240 && len(out) < 9 {
				out = append(out, letters[int(c)%len(letters)])
			}
		}
	}
	return string(out)
}

// deviceCode is the device authorization endpoint.
func (a *Authority) deviceCode(w http.ResponseWriter, q *request, v1 bool) {
	form, fault := readForm(q)
	if fault != nil {
		a.writeFault(w, q, fault)
		return
	}
	tr := &tokenRequest{request: q, form: form, v1: v1}
	secret := world.NewSecret()
	d := &device{hash: world.HashSecret(secret), code: userCode(), path: q.tenantName, v1: v1, begun: q.now, interval: devicePoll}
	fault = a.do(func(s *world.State) (f *oauth.Fault) {
		if tr.ask, f = oauth.ParseClaims(form.Get("claims")); f != nil {
			return f
		}
		if f = a.begin(s, tr); f != nil {
			return f
		}
		if !tr.client.public() && !tr.client.proved() {
			return oauth.Refuse(entra.CodeCredentialMissing)
		}
		d.client, d.ask = tr.client, tr.ask
		d.target, f = tr.target(s, nil)
		return f
	})
	if fault != nil {
		a.writeFault(w, q, fault)
		return
	}
	// Kept beyond its life, to tell expired from unknown.
	until := q.now.Add(2 * deviceLife)
	a.devices.put(q.now, until, d.hash, d)
	a.devices.put(q.now, until, "user\x00"+d.code, d)
	uri := q.base() + "/devicelogin"
	out := map[string]any{
		"device_code": secret, "user_code": d.code, "verification_uri": uri, "expires_in": int(deviceLife.Seconds()), "interval": int(devicePoll.Seconds()),
		"message": "To sign in, use a web browser to open the page " + uri + " and enter the code " + d.code + " to authenticate.",
	}
	if v1 {
		out["verification_url"], out["expires_in"], out["interval"] = uri, "900", "5"
	}
	writeJSON(w, http.StatusOK, out)
}

// pollDevice answers the device code grant.
func (a *Authority) pollDevice(tr *tokenRequest) (*bundle, *oauth.Fault) {
	value := tr.form.Get("device_code")
	if value == "" {
		value = tr.form.Get("code") // v1
	}
	if value == "" {
		return nil, oauth.Refuse(entra.CodeParameterMissing, "device_code")
	}
	var b *bundle
	fault := a.do(func(s *world.State) *oauth.Fault {
		if f := a.begin(s, tr); f != nil {
			return f
		}
		d, ok := a.devices.get(tr.now, world.HashSecret(value))
		if !ok || d.client.AppID != tr.client.AppID {
			return oauth.Refuse(entra.CodeDeviceCodeWrong)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if f := d.poll(tr.now); f != nil {
			return f
		}
		if !tr.client.public() && !tr.client.proved() {
			return oauth.Refuse(entra.CodeCredentialMissing)
		}
		d.state = spent
		tr.ask = d.ask
		tr.path = pathTenant{tenant: s.Tenant(d.tenant)}
		t := *d.target
		t.v1 = tr.v1
		sub, bundle, f := a.silently(s, tr, &t, &silent{proof: d.proof, kind: signon.DeviceCode, protocol: "deviceCode", transfer: "deviceCodeFlow",
			issued: stamp(d.begun), quiet: true, incoming: "none", from: d.from})
		if f != nil {
			return f
		}
		b = bundle
		if tr.v1 || tr.form.Get("client_info") != "" {
			b.info = clientInfo(sub)
		}
		if t.offline {
			rt := refreshOf(&d.proof, tr.client, &t, "", platformOf(tr.client))
			rt.DeviceCode = true
			b.refresh = a.newRefresh(s, tr.request, rt)
		}
		return nil
	})
	return b, fault
}

// poll says what a poller is told; nil when the tokens are ready.
func (d *device) poll(now time.Time) *oauth.Fault {
	last := d.polled
	d.polled = now
	switch {
	case d.state == spent:
		return oauth.Refuse(entra.CodeDeviceCodeWrong)
	case now.Sub(d.begun) >= deviceLife:
		return oauth.Refuse(entra.CodeDeviceCodeExpired)
	case d.state == declined:
		return oauth.Refuse(entra.CodeDeviceDeclined)
	case d.state == approved:
		return nil
	}
	// A little early is forgiven: timers are not exact.
	if !last.IsZero() && now.Sub(last) < d.interval-time.Second {
		d.interval = min(d.interval+devicePoll, time.Minute)
		return oauth.Refuse(entra.CodeDeviceSlowDown, int(d.interval.Seconds()))
	}
	return oauth.Refuse(entra.CodeDevicePending)
}

// deviceLogin is the page where a person enters the code.
func (a *Authority) deviceLogin(w http.ResponseWriter, q *request) {
	code := q.URL.Query().Get("otc")
	if code == "" {
		code = q.URL.Query().Get("user_code")
	}
	switch q.Method {
	case http.MethodGet, http.MethodHead:
		a.showDevice(w, q, clip(code, 32), "")
		return
	case http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		a.showFault(w, q, oauth.Refuse(entra.CodeMethodNotAccepted, "GET, POST", clip(q.Method, 16)))
		return
	}
	form, fault := readForm(q)
	if fault == nil && a.cross.Check(q.Request) != nil {
		fault = oauth.Refuse(entra.CodePageExpired)
	}
	if fault != nil {
		a.showFault(w, q, fault)
		return
	}
	key := "device\x00" + q.ip.String()
	code = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(clip(form.Get("otc"), 32)))
	if a.guard.locked(q.now, key) {
		a.showDevice(w, q, "", "Too many wrong codes came from here. Wait a minute and try again.")
		return
	}
	d, ok := a.devices.get(q.now, "user\x00"+code)
	if ok {
		d.mu.Lock()
		ok = d.state == waiting && q.now.Sub(d.begun) < deviceLife
		d.mu.Unlock()
	}
	if !ok {
		a.guard.wrong(q.now, key)
		a.showDevice(w, q, "", "That code did not work. Check it and try again: codes live for 15 minutes.")
		return
	}
	a.guard.right(key)
	a.beginDevice(w, q, d)
}
