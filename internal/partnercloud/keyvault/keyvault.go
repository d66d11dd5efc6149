package keyvault

import (
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

// Host is the vault's production name.
const Host = "contoso-keys." + entra.KeyVaultHost

// Deps is everything a Vault needs. Nil Log discards.
type Deps struct {
	World       *world.World // required
	Keys        *bearer.Keys // required
	Log         *slog.Logger
	Unthrottled bool // switches the limit off
}

// Vault is the service. Safe for concurrent use.
type Vault struct {
	world       *world.World
	log         *slog.Logger
	api         bearer.API
	unthrottled bool
	limit       limit

	mu   sync.Mutex                 // guards made; held while a key is made
	made map[string]*rsa.PrivateKey // by seed
}

// New makes the service over a world.
func New(d Deps) *Vault {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Vault{world: d.World, log: d.Log, unthrottled: d.Unthrottled, made: map[string]*rsa.PrivateKey{},
		api: bearer.API{Keys: d.Keys, World: d.World, Resource: entra.AppKeyVault}}
}

type object = map[string]any

// fault is a refusal; its Inner is innererror's code.
type fault = kit.Fault

func refuse(status int, code, message string) *fault { return kit.Refuse(status, code, message) }

func bad(message string) *fault { return refuse(http.StatusBadRequest, "BadParameter", message) }

// maxBody bounds a request body: a value of a key's length in base64url.
const maxBody = 64 << 10

// call is one request.
type call struct {
	*http.Request
	v              *Vault
	who            *bearer.Caller
	now            time.Time
	name, ver, act string
}

// ServeHTTP answers one request.
func (v *Vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k := &call{Request: r, v: v, now: v.world.Clock.Now()}
	h := w.Header()
	h.Set("x-ms-request-id", world.NewGUID())
	h.Set("x-ms-keyvault-region", "westeurope")
	h.Set("x-ms-keyvault-service-version", "1.9.0.0")
	if id := r.Header.Get("x-ms-client-request-id"); world.IsGUID(id) {
		h.Set("x-ms-client-request-id", id)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	status := http.StatusOK
	body, f := k.run()
	if f != nil {
		status = f.Status
		e := object{"code": f.Code, "message": f.Text}
		if f.Inner != "" {
			e["innererror"] = object{"code": f.Inner}
		}
		body = object{"error": e}
		f.Headers(h)
	}
	b, err := json.Marshal(body)
	if err != nil {
		v.log.LogAttrs(r.Context(), slog.LevelError, "reply", slog.Any("err", err))
		status, b = http.StatusInternalServerError, []byte(`{"error":{"code":"InternalServerError","message":"The reply could not be written."}}`)
	}
	kit.Send(w, r, status, b)
}

// challenge is the 401 from which a client learns whom to ask for a token: it
// comes before anything is looked at, since the client's first request carries
// neither token nor body.
func (k *call) challenge(message string) *fault {
	tenant := "common"
	k.v.world.Read(func(s *world.State) {
		if s.KeyVault != nil {
			tenant = s.KeyVault.Tenant
		}
	})
	return refuse(http.StatusUnauthorized, "Unauthorized", message).
		With("WWW-Authenticate", `Bearer authorization="`+entra.Login+`/`+tenant+`", resource="`+entra.KeyVaultResource+`"`)
}

var versionForm = pattern.Later(`^(7\.[0-6](-preview\.\d)?|2025-\d\d-\d\d(-preview)?)$`)

func (k *call) run() (object, *fault) {
	if k.Body != nil {
		k.Body = http.MaxBytesReader(nil, k.Body, maxBody)
		defer func() { _, _ = io.Copy(io.Discard, k.Body) }() // a client that tries again reuses it
	}
	who, wrong := k.v.api.Authenticate(k.Request)
	if wrong != nil {
		switch wrong.Code {
		case "Missing":
			return nil, k.challenge("AKV10000: Request is missing a Bearer or PoP token.")
		case "Audience":
			return nil, k.challenge("AKV10022: Invalid audience. Expected " + entra.KeyVaultResource + ".")
		case "Expired":
			return nil, k.challenge("[TokenExpired] Error validating token: the token is expired.")
		}
		return nil, k.challenge("[BearerReadAccessTokenFailed] Error validating token: it cannot be used here.")
	}
	k.who = who
	q, err := url.ParseQuery(k.URL.RawQuery)
	if err != nil || !versionForm.MatchString(q.Get("api-version")) {
		return nil, bad("The specified version is not recognized. Consider using the latest supported version (2025-07-01).")
	}
	if name := kit.UnknownOption(q, "api-version"); name != "" {
		return nil, bad("The query parameter '" + kit.Clip(name) + "' is not known here.")
	}
	if name := kit.RepeatedOption(q); name != "" {
		return nil, bad("The query parameter '" + kit.Clip(name) + "' is there more than once.")
	}
	if name := headers.Unknown(k.Request); name != "" {
		return nil, bad("The header '" + kit.Clip(name) + "' is not known here.")
	}
	return k.route()
}

// headers are those by which Azure's clients speak of themselves.
var headers = kit.Headers{Own: []string{"X-Ms-"}, Taken: []string{"x-ms-client-request-id", "x-ms-return-client-request-id", "x-ms-useragent", "x-ms-date"}}

var namePart = pattern.Later(`^[0-9A-Za-z-]{1,127}$`)

// route finds the action: /keys, /keys/NAME[/VERSION][/ACTION], /keys/NAME/versions.
func (k *call) route() (object, *fault) {
	parts := strings.Split(strings.Trim(k.URL.EscapedPath(), "/"), "/")
	missing := refuse(http.StatusNotFound, "NotFound", "The request URI was not found.")
	if len(parts) > 4 || !strings.EqualFold(parts[0], "keys") {
		return nil, missing
	}
	for _, p := range parts[1:] {
		if !namePart.MatchString(p) {
			return nil, bad("The request URI contains an invalid name.")
		}
	}
	get := k.Method == http.MethodGet
	post := k.Method == http.MethodPost
	switch n := len(parts); {
	case n == 1 && get:
		return k.do("list", k.list)
	case n == 2 && get:
		k.name = parts[1]
		return k.do("get", k.get)
	case n == 3 && get && strings.EqualFold(parts[2], "versions"):
		k.name = parts[1]
		return k.do("list", k.versions)
	case n == 3 && get:
		k.name, k.ver = parts[1], parts[2]
		return k.do("get", k.get)
	case n == 3 && post && strings.EqualFold(parts[2], "rotate"):
		k.name = parts[1]
		return k.do("rotate", k.rotate)
	case n == 3 && post: // without a version: the newest
		k.name, k.act = parts[1], strings.ToLower(parts[2])
	case n == 4 && post:
		k.name, k.ver, k.act = parts[1], parts[2], strings.ToLower(parts[3])
	default:
		return nil, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The HTTP method is not allowed here.")
	}
	switch k.act {
	case "wrapkey", "unwrapkey", "encrypt", "decrypt":
		return k.do(k.act, k.operate)
	}
	return nil, missing
}

// spelled writes a permission as Key Vault does.
func spelled(permission string) string {
	return strings.Replace(permission, "wrapkey", "wrapKey", 1)
}

// do checks the token's tenant, the limit and the permission.
func (k *call) do(permission string, then func() (object, *fault)) (object, *fault) {
	var f *fault
	k.v.world.Read(func(s *world.State) {
		switch {
		case s.KeyVault == nil:
			f = refuse(http.StatusNotFound, "VaultNotFound", "The scenario has no key vault.")
		case !strings.EqualFold(k.who.Tenant, s.KeyVault.Tenant) || k.who.AOBO:
			f = refuse(http.StatusUnauthorized, "Unauthorized", "AKV10032: Invalid issuer. Expected one of https://"+entra.STSHost+"/"+s.KeyVault.Tenant+"/.")
		case !s.MayUseKeys(s.KeyVault, k.who.ObjectID, permission):
			f = refuse(http.StatusForbidden, "Forbidden", "The user, group or application 'appid="+k.who.Client()+";oid="+k.who.ObjectID+";iss="+
				bearer.IssuerV1(k.who.Tenant)+
				"' does not have keys "+spelled(permission)+" permission on key vault '"+s.KeyVault.Name+
				";location=westeurope'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287")
			f.Inner = "AccessDenied"
		}
	})
	if f == nil {
		f = k.throttle()
	}
	if f != nil {
		return nil, f
	}
	return then()
}
