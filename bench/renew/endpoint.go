package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// throttled is a token endpoint that allows so many requests a second.
type throttled struct {
	mu                 sync.Mutex // guards the fields below
	limit, tokens      float64
	last               time.Time
	requests, throttle int
	unknown            int
	generation         map[string]int // by tenant, of the newest token given
}

// tally is what the endpoint counted.
type tally struct{ Requests, Throttle, Unknown, Tenants int }

func endpoint(text string) error {
	limit, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return err
	}
	e := &throttled{limit: limit, tokens: limit, last: time.Now(), generation: map[string]int{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(l, e)
}

// ServeHTTP answers /TENANT/oauth2/v2.0/token, and /tally.
func (e *throttled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/tally" {
		e.mu.Lock()
		defer e.mu.Unlock()
		_ = json.NewEncoder(w).Encode(tally{e.requests, e.throttle, e.unknown, len(e.generation)})
		return
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if err := r.ParseForm(); err != nil {
		http.Error(w, "{}", http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.requests++
	now := time.Now()
	e.tokens = min(e.tokens+now.Sub(e.last).Seconds()*e.limit, e.limit)
	e.last = now
	if e.tokens < 1 {
		e.throttle++
		wait := math.Ceil((1 - e.tokens) / e.limit)
		e.mu.Unlock()
		w.Header().Set("Retry-After", strconv.Itoa(int(max(wait, 1))))
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":"temporarily_unavailable","error_description":"AADSTS90055: too many requests","error_codes":[90055]}`)
		return
	}
	e.tokens--
	var given int
	_, err := fmt.Sscanf(r.PostForm.Get("refresh_token"), tenant+"/%d", &given)
	newest := e.generation[tenant]
	if err != nil || given > newest || given < newest-1 {
		e.unknown++
		e.mu.Unlock()
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"AADSTS70000","error_codes":[70000]}`)
		return
	}
	e.generation[tenant] = newest + 1
	e.mu.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]any{
		"token_type": "Bearer", "expires_in": 3600, "scope": "https://api.partnercenter.microsoft.com/user_impersonation",
		"access_token": access(tenant, r.PostForm.Get("client_id")), "refresh_token": refreshToken(tenant, newest+1),
	})
}

// refreshToken is as long as a real one.
func refreshToken(tenant string, generation int) string {
	return fmt.Sprintf("%s/%d/%s", tenant, generation, strings.Repeat("x", 1400))
}

// access is a v1 token of Partner Center in form; nobody here checks signatures.
func access(tenant, client string) string {
	enc := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := time.Now().Unix()
	return enc(map[string]any{"typ": "JWT", "alg": "RS256", "kid": "bench"}) + "." + enc(map[string]any{
		"ver": "1.0", "iss": "https://sts.windows.net/" + tenant + "/", "aud": "https://api.partnercenter.microsoft.com", "tid": tenant, "appid": client,
		"upn": "sam@example.com", "scp": "user_impersonation", "amr": []string{"pwd", "mfa"}, "iat": now, "nbf": now, "exp": now + 3600,
	}) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 256))
}
