package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Forms that no browser of ours sends are refused, and nothing is answered by them.
func TestHostileForms(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.invited()
	at := r.begins("otp", "fido")
	long := strings.Repeat("9", 70)
	for name, form := range map[string]string{
		"no button": "code=123456", "unknown button": "do=open&code=123456", "two codes": "do=totp&code=123456&code=654321",
		"two buttons": "do=totp&do=pass&code=1", "a field of another": "do=totp&code=1&amr=otp", "a long code": "do=totp&code=" + long,
		"no code": "do=totp", "a code of spaces": "do=totp&code=%20%20", "digits of another script": "do=totp&code=" + url.QueryEscape("１２３４５６"),

		"a zero": "do=totp&code=12%00456", "not UTF-8": "do=recovery&code=%ff%fe", "a broken escape": "do=totp&code=%zz",
		"a key that is none":   "do=key&response=%7B%7D",
		"a key that is a list": "do=key&response=%5B%5D", "a key that is huge": "do=key&response=" + strings.Repeat("a", 70<<10),
		"deep JSON": "do=key&response=" + strings.Repeat("[", 9000), "enrolled without a session": "do=enrolled", "enrol where nobody may": "do=enrol",
		"a recovery code of another form": "do=recovery&code=aaaaa-aaaaaa", "a pass that nobody gave": "do=pass&code=aaaaa-aaaaa",
		"a semicolon": "do=totp;code=123456",
	} {
		q := httptest.NewRequestWithContext(t.Context(), "POST", home+at, strings.NewReader(form))
		q.RemoteAddr = fmt.Sprintf("198.51.100.%d:40000", len(name))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for n, v := range r.jar {
			q.AddCookie(&http.Cookie{Name: n, Value: v})
		}
		w := httptest.NewRecorder()
		if r.k.ServeHTTP(w, q); w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s: %d", name, w.Code)
		}
		if strings.Contains(w.Body.String(), long) {
			t.Errorf("%s: the page repeats the code", name)
		}
	}
	if len(r.given) != 0 {
		t.Errorf("answered: %+v", r.given)
	}
	// A form of another site, and a cookie that is there twice.
	q := httptest.NewRequestWithContext(t.Context(), "POST", home+at, strings.NewReader("do=cancel"))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Sec-Fetch-Site", "cross-site")
	for n, v := range r.jar {
		q.AddCookie(&http.Cookie{Name: n, Value: v})
	}
	w := httptest.NewRecorder()
	if r.k.ServeHTTP(w, q); w.Code != http.StatusForbidden {
		t.Errorf("a form of another site: %d", w.Code)
	}
	q = httptest.NewRequestWithContext(t.Context(), "GET", home+at, nil)
	for n, v := range r.jar {
		q.AddCookie(&http.Cookie{Name: n, Value: v})
		q.AddCookie(&http.Cookie{Name: n, Value: "planted"})
	}
	w = httptest.NewRecorder()
	if r.k.ServeHTTP(w, q); w.Code != http.StatusNotFound {
		t.Errorf("a cookie that is there twice: %d", w.Code)
	}
}

// Names of outside are shown as text.
func TestNamesAreText(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	_, link, err := r.s.Invite(t.Context(), accountOf("cccccccc-2222-3333-4444-555555555555"),
		"<script>alert(1)</script>\u202e", "\"><img src=x>", "local:help")
	r.ok(err)
	w := r.do("GET", strings.TrimPrefix(link.Reveal(), home), nil)
	if b := w.Body.String(); w.Code != 200 || strings.Contains(b, "<script>alert") || strings.Contains(b, "<img") || strings.Contains(b, "\u202e") {
		t.Error(b)
	}
}

// No form brings a page down.
func FuzzForms(f *testing.F) {
	for _, s := range []string{"do=totp&code=123456", "do=key&response=%7B%22id%22%3A%22a%22%7D", "do=enter&login=a&kind=totp&code=1",
		"do=enter-key&response=x",
		"do=ask-key", "do=app&code=1&label=x", "do=remove&factor=x", "%", "do"} {
		f.Add(s)
	}
	r := newRig(f, nil)
	at := r.begins("otp", "fido")
	f.Fuzz(func(t *testing.T, form string) {
		for _, path := range []string{at, "/mfa/me", "/mfa/enrol/x"} {
			q := httptest.NewRequestWithContext(t.Context(), "POST", home+path, strings.NewReader(form))
			q.RemoteAddr = "192.0.2.7:40000"
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for n, v := range r.jar {
				q.AddCookie(&http.Cookie{Name: n, Value: v})
			}
			w := httptest.NewRecorder()
			if r.k.ServeHTTP(w, q); w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
				t.Errorf("%s: %d %q", path, w.Code, form)
			}
		}
	})
}

// Who has keys asked for without an end keeps nobody else from being asked.
func TestAsksOfOneAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ask := func(from string) int {
		q := httptest.NewRequestWithContext(t.Context(), "POST", home+"/mfa/me", strings.NewReader("do=ask-key"))
		q.RemoteAddr = from + ":40000"
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		r.k.ServeHTTP(w, q)
		return w.Code
	}
	last := 0
	for range 1100 {
		last = ask("198.51.100.7")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the thousandth of one address: %d", last)
	}
	if got := ask("192.0.2.7"); got != http.StatusOK {
		t.Errorf("somebody else: %d", got)
	}
}
