package sam

import (
	"context"
	"strconv"

	"partnerguard/internal/db"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// Vault seals what is secret. Each call works within the transaction that ctx
// carries, so that a sealed row changes together with the row it belongs to. *vault.Vault meets it.
type Vault interface {
	Put(ctx context.Context, ref vault.Ref, text secret.Text) error
	Get(ctx context.Context, ref vault.Ref) (secret.Text, error)
	Delete(ctx context.Context, ref vault.Ref) error
	Names(ctx context.Context, purpose, owner string) ([]string, error)
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// The tables whose rows are marked: all that decides where a refresh token goes
// and for whom. Leases are not: they spare double work, and nothing else.
var (
	Connections = &vault.Book{Table: "connections", Version: 1, Key: []string{"id"},
		Columns: []string{"name", "tenant", "client_id", "account", "state", "generation", "previous", "renew_after", "body"}}
	Registrations = &vault.Book{Table: "registrations", Version: 1, Key: []string{"client_id"}, Columns: []string{"sealed", "waiting", "body"}}
)

// Purposes under which the store seals.
const (
	PurposeRefresh = "refresh-token"  // owner: the connection's id; name: the generation
	PurposeApp     = "app-credential" // owner: the client id; name: "secret", or a certificate's thumbprint
)

// refreshRef names a sealed refresh token, without what it is bound to.
func refreshRef(id string, generation int64) vault.Ref {
	return vault.Ref{Purpose: PurposeRefresh, Owner: id, Name: strconv.FormatInt(generation, 10)}
}

// tokenRef names a refresh token that opens only for this very consent: where it
// is sent to, as which app, for which account, and of which consent it came.
func (r *row) tokenRef(generation int64) vault.Ref {
	ref := refreshRef(r.ID, generation)
	ref.Bound = vault.Bound("1", r.Cloud.Name, lower(r.Tenant), lower(r.ClientID), accountKey(r.Account, r.ObjectID),
		strconv.FormatInt(db.Micros(r.ConsentedAt), 10))
	return ref
}

func appRef(clientID, name string) vault.Ref {
	return vault.Ref{Purpose: PurposeApp, Owner: clientID, Name: name}
}
