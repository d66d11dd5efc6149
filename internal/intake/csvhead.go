package intake

import (
	"bytes"
	"strings"

	"partnerguard/internal/intake/text"
)

// headerNames are the column names of portals in words, by what they mean in
// Microsoft Graph, in lower case. The Microsoft 365 admin centre writes them in
// the language of who downloads the table (K for all but English).
var headerNames = func() map[string]string {
	out := make(map[string]string)
	for name, words := range map[string]string{
		"userPrincipalName": "user principal name|benutzerprinzipalname|nom d'utilisateur principal|nom d’utilisateur principal|nombre principal de usuario|" +
			"nome dell'entità utente|nome principale utente|user principal-naam|user principal name (upn)|käyttäjätunnus|hlavní název uživatele|ユーザー プリンシパル名",
		"displayName": "display name|anzeigename|nom d'affichage|nom d’affichage|nombre para mostrar|nome visualizzato|weergavenaam|näyttönimi|" +
			"zobrazovaný název|megjelenítendő név|表示名",
		"objectId": "object id|objekt-id|id d'objet|id d’objet|id. de objeto|id de objeto|id oggetto|object-id|objektin tunnus|id objektu|" +
			"objektumazonosító|オブジェクト id",
		"blockCredential": "block credential|anmeldeinformationen blockieren|anmeldung blockiert|bloquer les informations d'identification|" +
			"bloquer les informations d’identification|bloquear credencial|bloquear credenciales|blocca credenziali|referentie blokkeren|estä " +
			"tunniste|資格情報のブロック",
		"whenCreated":           "when created|erstellt am|date de création|fecha de creación|data creazione|gemaakt op",
		"lastDirSyncTime":       "last dirsync time",
		"softDeletionTimestamp": "soft deletion time stamp",
	} {
		for w := range strings.SplitSeq(words, "|") {
			out[w] = name
		}
	}
	return out
}()

// graphHeader brings the column names of a table of users to Graph's. Other
// tables keep theirs: only one that names the user and something else that
// only users have is such a table.
func graphHeader(names [][]byte) {
	found := make(map[string]int)
	for i, n := range names {
		if to := headerNames[strings.ToLower(strings.TrimSpace(text.Unquote(n)))]; to != "" {
			if _, twice := found[to]; !twice {
				found[to] = i
			}
		}
	}
	_, upn := found["userPrincipalName"]
	_, id := found["objectId"]
	_, block := found["blockCredential"]
	if !upn || !id && !block {
		return
	}
	for to, i := range found {
		names[i] = bytes.Clone(text.Quote(to))
	}
}
