package sam

import (
	"context"
	"strconv"

	"partnerguard/internal/db"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// Vault seals what is secret. Each call works within q, so that a sealed row
// changes together with the row it belongs to. *vault.Vault meets it.
type Vault interface {
	Put(ctx context.Context, q db.Querier, ref vault.Ref, text secret.Text) error
	Get(ctx context.Context, q db.Querier, ref vault.Ref) (secret.Text, error)
	Delete(ctx context.Context, q db.Querier, ref vault.Ref) error
}

// Purposes under which the store seals.
const (
	PurposeRefresh = "refresh-token"  // owner: the connection's id; name: the generation
	PurposeApp     = "app-credential" // owner: the client id; name: "secret", or a certificate's thumbprint
)

func refreshRef(id string, generation int64) vault.Ref {
	return vault.Ref{Purpose: PurposeRefresh, Owner: id, Name: strconv.FormatInt(generation, 10)}
}

func appRef(clientID, name string) vault.Ref {
	return vault.Ref{Purpose: PurposeApp, Owner: clientID, Name: name}
}
