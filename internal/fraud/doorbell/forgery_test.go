//go:build !judge

package doorbell

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
)

// forgery is a ring that is not Microsoft's, or no ring of now.
type forgery struct {
	name string
	make func(r *rig, x *ring)
	want int
}

// use signs with a certificate that stands at the usual place.
func use(r *rig, x *ring, cert []byte, sig []byte) { r.files[place], x.sig = cert, sig }

func at(where string) func(*rig, *ring) {
	return func(r *rig, x *ring) { r.files[where], x.certURL = r.files[place], where }
}

const elsewhere = "https://evil.example/cert.cer"

func signatures() []forgery {
	return []forgery{
		{"no signature", func(_ *rig, x *ring) { x.noSig = true }, 403},
		{"signature of another body", func(r *rig, x *ring) { x.sig = sign(r, r.signer, x.body+" ") }, 403},
		{"one bit of the body", func(_ *rig, x *ring) { x.body = strings.Replace(x.body, "detected", "detectee", 1) }, 403},
		{"one bit of the signature", func(_ *rig, x *ring) { x.sig[7] ^= 1 }, 403},
		{"signed by another key", func(r *rig, x *ring) { x.sig = sign(r, keys()[2], x.body) }, 403},
		{"rsa-sha1", func(r *rig, x *ring) {
			x.header.Set("X-MS-Signature-Algorithm", "rsa-sha1")
			x.sig = signSHA1(r, r.signer, x.body)
		}, 403},
		{"SHA-1 that says SHA-256", func(r *rig, x *ring) { x.sig = signSHA1(r, r.signer, x.body) }, 403},
		{"algorithm none", func(_ *rig, x *ring) { x.header.Set("X-MS-Signature-Algorithm", "none") }, 403},
		{"no algorithm", func(_ *rig, x *ring) { x.header.Del("X-MS-Signature-Algorithm") }, 403},
		{"two algorithms", func(_ *rig, x *ring) { x.header.Add("X-MS-Signature-Algorithm", "rsa-sha256") }, 403},
		{"PSS", func(r *rig, x *ring) { x.sig = signPSS(r, r.signer, x.body) }, 403},
		{"two signatures", func(_ *rig, x *ring) {
			good := "Signature " + base64.StdEncoding.EncodeToString(x.sig)
			x.header["Authorization"], x.header["X-Ms-Signature"] = []string{good}, []string{"Signature AAAA"}
		}, 403},
		{"a header twice", func(_ *rig, x *ring) {
			good := "Signature " + base64.StdEncoding.EncodeToString(x.sig)
			x.header["Authorization"] = []string{good, good}
		}, 403},
		{"a bearer token", func(_ *rig, x *ring) {
			x.header.Set("Authorization", "Bearer "+base64.StdEncoding.EncodeToString(x.sig))
		}, 403},
		{"an empty signature", func(_ *rig, x *ring) { x.header.Set("Authorization", "Signature ") }, 403},
		{"no base64", func(_ *rig, x *ring) { x.header.Set("Authorization", "Signature %%%") }, 403},
	}
}

func certificates() []forgery {
	return []forgery{
		{"signs its own certificate", func(r *rig, x *ring) { use(r, x, leafOf(r, nil, keys()[2]).Raw, sign(r, keys()[2], x.body)) }, 403},
		{"another root", func(r *rig, x *ring) {
			use(r, x, leafOf(r, root(r, "Good Root", keys()[2]), keys()[3]).Raw, sign(r, keys()[3], x.body))
		}, 403},
		{"a root of another authority", func(r *rig, x *ring) {
			other := root(r, "Some Authority", keys()[2])
			r.v.trust.Roots.AddCert(other.cert) // which the system trusts
			use(r, x, leafOf(r, other, keys()[3]).Raw, sign(r, keys()[3], x.body))
		}, 403},
		{"another organization", func(r *rig, x *ring) {
			c := leafOf(r, r.good, keys()[2], func(c *x509.Certificate) { c.Subject.Organization = []string{"Contoso"} })
			use(r, x, c.Raw, sign(r, keys()[2], x.body))
		}, 403},
		{"an organization that only contains it", func(r *rig, x *ring) {
			c := leafOf(r, r.good, keys()[2], func(c *x509.Certificate) { c.Subject.Organization = []string{"O=Microsoft Corporation Ltd"} })
			use(r, x, c.Raw, sign(r, keys()[2], x.body))
		}, 403},
		{"two organizations", func(r *rig, x *ring) {
			c := leafOf(r, r.good, keys()[2], func(c *x509.Certificate) { c.Subject.Organization = []string{"Microsoft Corporation", "Contoso"} })
			use(r, x, c.Raw, sign(r, keys()[2], x.body))
		}, 403},
		{"the name in another member", func(r *rig, x *ring) {
			c := leafOf(r, r.good, keys()[2], func(c *x509.Certificate) {
				c.Subject.Organization, c.Subject.CommonName = nil, "O=Microsoft Corporation"
			})
			use(r, x, c.Raw, sign(r, keys()[2], x.body))
		}, 403},
		{"expired", func(r *rig, x *ring) {
			c := leafOf(r, r.good, r.signer, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = start.Add(-48*time.Hour), start.Add(-time.Minute) })
			use(r, x, c.Raw, x.sig)
		}, 403},
		{"not valid yet", func(r *rig, x *ring) {
			c := leafOf(r, r.good, r.signer, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = start.Add(time.Hour), start.Add(48*time.Hour) })
			use(r, x, c.Raw, x.sig)
		}, 403},
		{"an authority that signs rings", func(r *rig, x *ring) {
			c := leafOf(r, r.good, keys()[2], func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true })
			use(r, x, c.Raw, sign(r, keys()[2], x.body))
		}, 403},
		{"another kind of key", func(r *rig, x *ring) {
			k := ecKey(r)
			c := issue(r, &x509.Certificate{Subject: leafOf(r, r.good, r.signer).Subject}, r.good, &k.PublicKey, nil)
			use(r, x, c.Raw, x.sig)
		}, 403},
		{"no certificate", func(r *rig, x *ring) { use(r, x, []byte("<html>"), x.sig) }, 403},
		{"a key as PEM", func(r *rig, x *ring) {
			use(r, x, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}), x.sig)
		}, 403},
		{"a certificate without an end", func(r *rig, x *ring) {
			use(r, x, append(slices.Clone(r.files[place]), bytes.Repeat([]byte{'\n'}, maxCertificate)...), x.sig)
		}, 403},
		{"the place leads elsewhere", func(r *rig, x *ring) { r.files[elsewhere], r.moved[place] = r.files[place], elsewhere }, 403},
	}
}

func places() []forgery {
	return []forgery{
		{"another host", at(elsewhere), 403},
		{"plain HTTP", at("http://3psostorageacct.blob.core.windows.net/cert/pcnotifications-dispatch.microsoft.com.cer"), 403},
		{"somebody else's storage", at("https://attacker.blob.core.windows.net/cert/pcnotifications-dispatch.microsoft.com.cer"), 403},
		{"a name that ends alike", at("https://evilmicrosoft.com/x.cer"), 403},
		{"a name that begins alike", at("https://www.microsoft.com.evil.example/x.cer"), 403},
		{"user information", at("https://www.microsoft.com@evil.example/x.cer"), 403},
		{"user information of ours", at("https://x@www.microsoft.com/x.cer"), 403},
		{"an address", at("https://169.254.169.254/latest/meta-data"), 403},
		{"this machine", at("https://localhost/x.cer"), 403},
		{"a port", at("https://www.microsoft.com:8443/x.cer"), 403},
		{"a query", at("https://www.microsoft.com/redirect?to=evil.example"), 403},
		{"a fragment", at("https://www.microsoft.com/x.cer#y"), 403},
		{"a backslash", at(`https://evil.example\@www.microsoft.com/x.cer`), 403},
		{"a file", at("file:///etc/passwd"), 403},
		{"no place", func(_ *rig, x *ring) { x.certURL = "" }, 403},
		{"two places", func(_ *rig, x *ring) { x.certURL = ""; x.header["X-Ms-Certificate-Url"] = []string{place, elsewhere} }, 403},
		{"a long place", at("https://www.microsoft.com/" + strings.Repeat("x", maxAddress)), 403},
	}
}

func bodies() []forgery {
	signed := func(b string) func(*rig, *ring) {
		return func(r *rig, x *ring) { x.body, x.sig = b, sign(r, r.signer, b) }
	}
	return []forgery{
		{"of last week", signed(body(start.Add(-7*24*time.Hour), "azure-fraud-event-detected")), 403},
		{"of tomorrow", signed(body(start.Add(24*time.Hour), "azure-fraud-event-detected")), 403},
		{"without a time", signed(`{"EventName":"azure-fraud-event-detected"}`), 403},
		{"no JSON", signed("azure-fraud-event-detected"), 403},
		{"more behind it", signed(body(start, "azure-fraud-event-detected") + "{}"), 403},
		{"no name", signed(`{"ResourceChangeUtcDate":"2026-11-30T12:00:00Z"}`), 403},
		{"a name without an end", signed(body(start, strings.Repeat("x", 200))), 403},
		{"nothing", signed(""), 403},
		{"too long", signed(body(start, "x") + strings.Repeat(" ", MaxBody)), 413},
		{"a form", func(_ *rig, x *ring) { x.header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415},
		{"no type", func(_ *rig, x *ring) { x.header.Del("Content-Type") }, 415},
		{"a GET", func(_ *rig, x *ring) { x.method = http.MethodGet }, 405},
		{"a PUT", func(_ *rig, x *ring) { x.method = http.MethodPut }, 405},
	}
}

// TestForgeries: none of them has anything read, or anything fetched from elsewhere.
func TestForgeries(t *testing.T) {
	t.Parallel()
	all := slices.Concat(signatures(), certificates(), places(), bodies())
	if len(all) < 20 {
		t.Fatal("there are 20 kinds at least")
	}
	d := dbtest.SQLite(t)
	for _, f := range all {
		t.Run(f.name, func(t *testing.T) {
			r := newRig(t, d)
			x := r.genuine()
			f.make(r, x)
			if got := r.send(x); got != f.want || r.rings != 0 {
				t.Errorf("%d, %d rings", got, r.rings)
			}
			for _, where := range r.fetched {
				if where != place {
					t.Errorf("%s was asked", where)
				}
			}
			if f.want == 403 && len(r.trail.Of(audit.FraudForgeries)) != 1 {
				t.Error("the trail does not know of it")
			}
			// The genuine one still is believed.
			r.files[place] = leafOf(t, r.good, r.signer).Raw
			r.moved = map[string]string{}
			r.at = r.at.Add(2 * time.Minute)
			if got := r.send(r.genuine()); got != 200 || r.rings != 1 {
				t.Errorf("the genuine one after it: %d, %d rings", got, r.rings)
			}
			_, err := d.ExecContext(t.Context(), "DELETE FROM fraud_rings")
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestGenuine: both forms of the header, certificates that come with or by way of issuers,
// what is taken twice, tests, and what is for nobody.
func TestGenuine(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		x := r.genuine()
		if got := r.send(x); got != 200 || r.rings != 1 {
			t.Fatalf("%d, %d rings", got, r.rings)
		}
		if got := r.send(x); got != 200 || r.rings != 1 {
			t.Errorf("again: %d, %d rings", got, r.rings)
		}
		own := r.genuine()
		own.header.Set("x-ms-signature", "Signature "+base64.StdEncoding.EncodeToString(own.sig))
		if got := r.send(own); got != 200 || r.rings != 1 {
			t.Errorf("the same in its own header: %d, %d rings", got, r.rings)
		}
		for i, event := range []string{"test-created", "subscription-updated", "Azure-Fraud-Event-Detected"} {
			b := body(r.at.Add(-time.Duration(i)*time.Second), event)
			own.body, own.sig = b, sign(t, r.signer, b)
			own.header.Set("x-ms-signature", base64.StdEncoding.EncodeToString(own.sig))
			if got := r.send(own); got != 200 {
				t.Errorf("%s: %d", event, got)
			}
		}
		if r.rings != 2 || len(r.fetched) != 1 {
			t.Errorf("%d rings, fetched %q", r.rings, r.fetched)
		}
		list, err := r.Counts(t.Context())
		n := map[string]int64{}
		for _, c := range list {
			n[c.What] = c.N
		}
		if err != nil || n["rung"] != 2 || n["again"] != 2 || n["test"] != 1 || n["ignored"] != 1 {
			t.Errorf("%v %v", n, err)
		}
	})
}

// TestIssuers: a chain by an issuer in between, which is fetched where the certificate says.
func TestIssuers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		where string
		want  int
	}{
		"Microsoft's":  {"http://www.microsoft.com/pkiops/certs/issuing.crt", 200},
		"elsewhere":    {"http://evil.example/issuing.crt", 403},
		"this machine": {"http://127.0.0.1/issuing.crt", 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, dbtest.SQLite(t))
			k := keys()
			middle := &authority{issue(t, &x509.Certificate{Subject: leafOf(t, r.good, k[1]).Subject, IsCA: true, BasicConstraintsValid: true,
				KeyUsage: x509.KeyUsageCertSign}, r.good, &k[2].PublicKey, nil), k[2]}
			r.files[c.where] = middle.cert.Raw
			r.files[place] = leafOf(t, middle, r.signer, func(x *x509.Certificate) { x.IssuingCertificateURL = []string{c.where} }).Raw
			if got := r.send(r.genuine()); got != c.want {
				t.Errorf("%d, fetched %q", got, r.fetched)
			}
			if c.want != 200 && len(r.fetched) != 1 {
				t.Errorf("fetched %q", r.fetched)
			}
		})
	}
}

// TestFlood: strangers have few places asked, and few events written.
func TestFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	for i := range 100 {
		x := r.genuine()
		x.certURL = "https://www.microsoft.com/x" + itoa(i) + ".cer"
		if got := r.send(x); got != 403 {
			t.Fatal(got)
		}
	}
	if len(r.fetched) != maxFetches || len(r.trail.Of(audit.FraudForgeries)) != 1 {
		t.Errorf("%d fetched, %d events", len(r.fetched), len(r.trail.Events()))
	}
	r.at = r.at.Add(2 * time.Minute)
	x := r.genuine()
	for range maxRings {
		r.tooMany()
	}
	if got := r.send(x); got != 429 {
		t.Errorf("too many: %d", got)
	}
	r.at = r.at.Add(time.Minute)
	if got := r.send(x); got != 200 {
		t.Errorf("a minute later: %d", got)
	}
}

// FuzzCheck: whatever comes, nothing but what the key signed is believed.
func FuzzCheck(f *testing.F) {
	d := dbtest.SQLite(f)
	r := newRig(f, d)
	x := r.genuine()
	sig := base64.StdEncoding.EncodeToString(x.sig)
	f.Add("Signature "+sig, "", place, "rsa-sha256", x.body+"x")
	f.Add("", sig, place, "rsa-sha256", "{}")
	f.Add("Signature AAAA", "Signature AAAA", "https://www.microsoft.com:443/", "none", "")
	f.Fuzz(func(t *testing.T, auth, own, where, algorithm, text string) {
		h := http.Header{"Content-Type": {"application/json"}, "X-Ms-Certificate-Url": {where}, "X-Ms-Signature-Algorithm": {algorithm}}
		if auth != "" {
			h.Set("Authorization", auth)
		}
		if own != "" {
			h.Set("X-Ms-Signature", own)
		}
		if _, err := r.v.check(t.Context(), h, []byte(text)); err == nil && text != x.body {
			t.Error("believed")
		}
	})
}

// TestCrowd: strangers who name many places neither push out the certificate that signs, nor
// have the genuine ring wait once it is to be fetched anew.
func TestCrowd(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := newRig(t, d)
	if code := r.send(r.genuine()); code != http.StatusOK {
		t.Fatal(code)
	}
	crowd := func() {
		for i := range 2 * maxFetches {
			x := r.genuine()
			x.certURL = "https://x" + itoa(i) + ".microsoft.com/" + r.at.Format("150405") + ".cer"
			r.send(x)
		}
	}
	for range 2 * maxHeld / maxFetches {
		crowd()
		r.at = r.at.Add(time.Minute)
	}
	before := len(r.fetched)
	if code := r.send(r.genuine()); code != http.StatusOK || len(r.fetched) != before {
		t.Errorf("after a crowd: %d, fetched %q", code, r.fetched[before:])
	}
	r.at = r.at.Add(keepGood)
	crowd()
	if code := r.send(r.genuine()); code != http.StatusOK {
		t.Errorf("in a crowd, an hour later: %d", code)
	}
	file := r.files[place]
	delete(r.files, place)
	r.at = r.at.Add(keepGood)
	if code := r.send(r.genuine()); code == http.StatusOK {
		t.Error("a certificate that is gone is believed")
	}
	r.files[place] = file
	r.at = r.at.Add(2 * keepBad)
	crowd()
	if code := r.send(r.genuine()); code != http.StatusOK {
		t.Errorf("in a crowd, after it could not be fetched: %d", code)
	}
}
