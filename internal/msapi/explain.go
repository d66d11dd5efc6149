package msapi

// Explanation says what an AADSTS code means to a partner's administrator
// (contracts.md sections 3.2 and 4.2; words and steps are ours).
type Explanation struct {
	Words  string // one sentence, no full stop
	Fix    string // the next step
	Bucket string // one of the Bucket constants
	// Final says that the same request will not work by itself later.
	Final bool
	// Known is false for a code that is not in the table.
	Known bool
}

// What a code is about. A refresh token is dead for good only in BucketToken;
// in BucketMFA, BucketEnrolment, BucketPolicy and BucketAccount it may work
// again when the setting or the account is as it was.
const (
	BucketTransient  = "transient"  // Entra ID's own trouble
	BucketClock      = "clock"      // our clock, or theirs
	BucketToken      = "token"      // the refresh token or code is dead: sign in again
	BucketMFA        = "mfa"        // a person must answer an MFA prompt: sign in again
	BucketEnrolment  = "enrolment"  // the account must register a method
	BucketPolicy     = "policy"     // Conditional Access, security defaults or risk blocks it
	BucketAccount    = "account"    // the account cannot sign in at all
	BucketAccess     = "access"     // the account has no way into that tenant
	BucketConsent    = "consent"    // the app is not consented to there
	BucketCredential = "credential" // the app's certificate or secret
	BucketApp        = "app"        // the app's registration
	BucketTenant     = "tenant"     // the tenant's name, or the tenant itself
	BucketRequest    = "request"    // what was asked cannot be
	BucketUnknown    = "unknown"
)

// Explain explains an AADSTS code. An unknown one says so.
func Explain(code int) Explanation {
	if x, ok := explanations[code]; ok {
		return x
	}
	return Explanation{
		Words: "Entra ID refused it with a code this program does not know", Bucket: BucketUnknown, Final: true,
		Fix: "look the code up at https://login.microsoftonline.com/error and sign in again with connect if that is what it asks for",
	}
}

// Codes lists the codes that Explain knows.
func Codes() []int {
	out := make([]int, 0, len(explanations))
	for c := range explanations {
		out = append(out, c)
	}
	return out
}

const (
	again      = "sign in again with MFA: run partnerguard connect"
	atCustomer = "consent for that customer: partnerguard customers consent --plan, then --apply"
	atHome     = "an administrator of the partner tenant opens the admin-consent link that partnerguard connect prints"
	redeploy   = "put a valid certificate on the app registration and tell partnerguard of it"
	roleThere  = "add the account to a security group that holds a GDAP role for that customer, and to AdminAgents"
)

func final(bucket, words, fix string) Explanation {
	return Explanation{words, fix, bucket, true, true}
}

func passing(words, fix string) Explanation {
	return Explanation{words, fix, BucketTransient, false, true}
}

// errorWords explains the error member where no code is known.
var errorWords = map[string]Explanation{
	"invalid_grant":          final(BucketToken, "Entra ID does not take this refresh token or code any more", again),
	"interaction_required":   final(BucketMFA, "a person must sign in interactively", again),
	"login_required":         final(BucketMFA, "a person must sign in interactively", again),
	"consent_required":       final(BucketConsent, "the app is not consented to for what was asked", atHome),
	"invalid_client":         final(BucketCredential, "Entra ID does not accept the app's credential", redeploy),
	"unauthorized_client":    final(BucketApp, "the app may not ask in this way", "check the app registration: audience, redirect URIs, and that it was not deleted"),
	"invalid_resource":       final(BucketConsent, "the resource is not known in that tenant", "the service was never used there: use it once, or leave it out"),
	"invalid_scope":          final(BucketRequest, "a permission that was asked for does not exist", "compare the permissions with the app manifest"),
	"invalid_request":        final(BucketRequest, "the request is not as Entra ID wants it", "this is likely a mistake of this program: report it with the correlation id"),
	"access_denied":          final(BucketAccess, "access was denied", "ask the tenant's administrator"),
	"unsupported_grant_type": final(BucketRequest, "the kind of request is not supported", "this is likely a mistake of this program: report it with the correlation id"),
}

var explanations = map[int]Explanation{
	// MFA and enrolment.
	50074:   final(BucketMFA, "strong authentication is required and was not completed", again),
	50076:   final(BucketMFA, "MFA is now required: by Conditional Access, a new location, or a change an administrator made", again),
	50078:   final(BucketMFA, "the MFA is older than the sign-in frequency allows", again+"; consider a longer sign-in frequency for this account"),
	50079:   final(BucketEnrolment, "the account must register for MFA, or its federated provider sent no MFA claim", "register a method at https://aka.ms/mfasetup with that account, then "+again),
	50072:   final(BucketEnrolment, "the account must register for MFA", "register a method at https://aka.ms/mfasetup with that account, then "+again),
	50158:   final(BucketMFA, "an external MFA provider or another step outside Entra ID was not satisfied", again),
	50159:   final(BucketMFA, "the external MFA provider sent too few claims", "ask the provider's operator to send amr and acr as Entra ID wants them, then "+again),
	50161:   final(BucketMFA, "the external MFA provider sent a claim that is not valid", "ask the provider's operator, then "+again),
	50166:   final(BucketMFA, "the external MFA provider could not be asked", "check that the provider is up, then "+again),
	50170:   final(BucketMFA, "the external MFA provider's control is not mapped", "check the external authentication method's configuration, then "+again),
	50172:   final(BucketMFA, "that external MFA provider is not allowed", "allow it in the authentication methods policy, or use another method, then "+again),
	5001256: final(BucketMFA, "the answer of the external MFA provider is not valid", "check issuer, keys and clock of the provider, then "+again),
	900491:  final(BucketMFA, "the external MFA provider's service principal is missing in the tenant", "an administrator consents to the provider's app, then "+again),
	500121:  final(BucketMFA, "MFA failed, was denied or timed out", again),
	50097:   final(BucketPolicy, "the device must prove itself", "sign in from a registered device, or exclude the account from the device policy"),
	50140:   final(BucketMFA, "the question about staying signed in was left open", again),
	50058:   final(BucketMFA, "nobody is signed in in this browser", again),

	// Policy.
	53000:  final(BucketPolicy, "Conditional Access wants a compliant device", "sign in from a compliant device, or give this account a policy without a device condition but with MFA"),
	53001:  final(BucketPolicy, "Conditional Access wants a domain-joined device", "sign in from a joined device, or give this account a policy without a device condition but with MFA"),
	53002:  final(BucketPolicy, "Conditional Access wants an approved app", "leave this app out of the approved-app policy and require MFA instead"),
	53003:  final(BucketPolicy, "Conditional Access blocks this sign-in", "find the policy in the sign-in log and let this account and app through with MFA"),
	53004:  final(BucketPolicy, "registering for MFA is blocked because of risk", "an administrator reviews the risk, then register and "+again),
	53011:  final(BucketPolicy, "the account is blocked because of risk", "an administrator reviews and clears the user risk, then "+again),
	530032: final(BucketPolicy, "a security policy of the tenant blocks the account", "ask the tenant's administrator which policy, then "+again),
	530034: final(BucketPolicy, "a delegated administrator was blocked for suspicious activity", "contact Microsoft partner support, and look at the sign-in log first"),
	530035: final(BucketPolicy, "security defaults block this way of signing in", "use the browser sign-in of partnerguard connect, not a device code or an old protocol"),

	// The account.
	50053: final(BucketAccount, "the account is locked, or the address is known for attacks", "wait for the lock-out to end or unlock the account, then "+again),
	50055: final(BucketAccount, "the account's password has expired", "change the password, then "+again),
	50144: final(BucketAccount, "the account's password has expired on premises", "change the password, then "+again),
	50057: final(BucketAccount, "the account is disabled", "enable the account, or connect with another one"),
	50126: final(BucketAccount, "the user name or password is wrong", again),
	50034: final(BucketAccount, "the account does not exist in the directory", "connect with an account that exists"),
	50105: final(BucketApp, "the account is not assigned to the app", "assign the account to the app under Enterprise applications, then "+again),
	50133: final(BucketToken, "the session ended because the password expired or was changed", again),
	50132: final(BucketToken, "the credentials were revoked, by a password change or an administrator", again),

	// Dead tokens and codes.
	50173:  final(BucketToken, "the sign-in was revoked: sessions were revoked or an administrator reset the password", again),
	70043:  final(BucketToken, "the sign-in frequency of Conditional Access ended the refresh token", again+"; consider a longer sign-in frequency for this account and app"),
	70044:  final(BucketToken, "the session ended by the sign-in frequency of Conditional Access", again),
	700082: final(BucketToken, "the refresh token was not used for 90 days", again+", and let the renewal run daily"),
	70008:  final(BucketToken, "the refresh token or the code has expired", again),
	700084: final(BucketToken, "the refresh token belongs to a single-page app and lived its 24 hours", "register the redirect URI under Web, not Single-page application, then "+again),
	70000:  final(BucketToken, "the refresh token or code is not valid", again),
	54005:  final(BucketToken, "the authorization code was used before", again),
	50089:  final(BucketToken, "the sign-in took too long", again),
	700005: final(BucketToken, "the refresh token or code was given to another app or for another tenant", "connect again with this app: partnerguard connect"),
	50147:  final(BucketRequest, "the proof key of the sign-in (PKCE) is missing or wrong", again),
	50148:  final(BucketRequest, "the proof key (PKCE) is not the one the sign-in began with", again),
	501481: final(BucketRequest, "the proof key (PKCE) is not the one the sign-in began with", again),

	// Ways into a tenant.
	50020: final(BucketAccess, "the account has no way into that tenant: it is not known there", roleThere),
	50177: final(BucketAccess, "the account cannot act in that tenant: its delegated rights are gone", roleThere),
	90072: final(BucketAccess, "the account is not in that tenant", roleThere),

	// Consent.
	65001:   final(BucketConsent, "nobody consented to the app for what was asked", "at a customer: "+atCustomer+"; in the partner tenant: "+atHome),
	65004:   final(BucketConsent, "the person declined to consent", "run partnerguard connect again and accept, or let an administrator consent"),
	65005:   final(BucketConsent, "the app asks for a resource that its registration does not list", "add the permissions of the app manifest to the registration, then consent again"),
	650052:  final(BucketConsent, "the resource's service principal is missing in that tenant: the service was never used there", "use the service there once, or leave the resource out for that customer"),
	650057:  final(BucketConsent, "the resource is not among those the app's registration lists", "add the permissions of the app manifest to the registration, then consent again"),
	500011:  final(BucketConsent, "the resource is not known in that tenant", "the service was never used there: use it once, or leave it out for that customer"),
	500014:  final(BucketConsent, "the resource is disabled in that tenant", "the tenant's administrator enables it under Enterprise applications"),
	90094:   final(BucketConsent, "an administrator must consent", atHome),
	90099:   final(BucketConsent, "the app is not authorised in that customer's tenant for partners' delegated administrators", atCustomer),
	7000112: final(BucketApp, "the app is disabled in that tenant", "enable it under Enterprise applications"),

	// The app and its credential.
	70002:   final(BucketCredential, "the app's credential is not valid", redeploy),
	7000215: final(BucketCredential, "the client secret is wrong", "give the secret's value, not its id; better, change to a certificate"),
	7000222: final(BucketCredential, "the app's secret or certificate has expired", redeploy+"; nobody needs to sign in again"),
	7000218: final(BucketCredential, "the app sent no credential and it must", "give the app a certificate"),
	700027:  final(BucketCredential, "the signature of the app's certificate is not accepted: that certificate is not on the registration", "upload the certificate that partnerguard uses to the app registration"),
	50012:   final(BucketCredential, "the app's assertion is not valid", redeploy),
	700021:  final(BucketCredential, "the app's assertion names another app", "check the client id"),
	700023:  final(BucketCredential, "the app's assertion is for another address", "check the cloud and the tenant"),
	700024:  {"the app's assertion is not valid at this time: a clock is wrong", "set this machine's clock; nobody needs to sign in again", BucketClock, false, true},
	700025:  final(BucketApp, "the app is a public client and sent a credential", "register the redirect URI under Web, or leave the credential out"),
	700211:  final(BucketCredential, "no federated credential of the app has the issuer of the token", "compare the issuer in the app's federated credential"),
	700212:  final(BucketCredential, "no federated credential of the app has the audience of the token", "compare the audience in the app's federated credential"),
	700213:  final(BucketCredential, "no federated credential of the app has the subject of the token", "compare the subject in the app's federated credential"),
	700016:  final(BucketApp, "the app is not known in that tenant", "check the client id; in the partner tenant, consent to the app once"),
	7000229: final(BucketApp, "the app has no service principal in that tenant", "consent to the app there: "+atCustomer),
	50194:   final(BucketApp, "the app is not registered for several tenants", "set signInAudience to AzureADMultipleOrgs, or name the tenant"),
	50011:   final(BucketApp, "the redirect URI is not one of the app's", "add http://localhost (or the address in use) under Web redirect URIs"),
	500112:  final(BucketRequest, "the redirect URI is not the one the sign-in began with", again),
	9002326: final(BucketApp, "the redirect URI is not one of a single-page app", "register the redirect URI under Web"),
	9002327: final(BucketApp, "the redirect URI is one of a single-page app", "register the redirect URI under Web, then "+again),

	// The tenant.
	90002:   final(BucketTenant, "there is no such tenant", "check the tenant's id or domain"),
	900023:  final(BucketTenant, "the tenant's name is not valid", "check the tenant's id or domain"),
	50059:   final(BucketTenant, "no tenant was named", "give the tenant's id or domain"),
	50128:   final(BucketTenant, "the tenant's domain is not valid", "check the tenant's id or domain"),
	5000224: final(BucketTenant, "the tenant is blocked", "contact Microsoft support"),
	50049:   final(BucketTenant, "the authority is not known", "check the cloud's name"),

	// The request.
	70011:   final(BucketRequest, "a permission that was asked for does not exist", "compare the permissions with the app manifest"),
	28000:   final(BucketRequest, "permissions of several resources were asked for at once", "ask for one resource at a time"),
	900144:  final(BucketRequest, "the request lacks a parameter", "this is likely a mistake of this program: report it with the correlation id"),
	9002313: final(BucketRequest, "the request is malformed", "this is likely a mistake of this program: report it with the correlation id"),

	// The device flow, which others' logs have.
	70016: {"the person has not entered the device code yet", "enter the code", BucketTransient, false, true},
	70018: final(BucketRequest, "the device code is wrong", "begin again"),
	70019: final(BucketRequest, "the device code has expired", "begin again"),

	// What passes.
	50196: passing("Entra ID saw the same request too often and makes this client wait", "nothing to do: it is tried again more slowly"),
	90033: passing("Entra ID has a passing error", "nothing to do: it is tried again"),
	90024: passing("Entra ID ran out of time for the request", "nothing to do: it is tried again"),
	90006: passing("Entra ID could not reach another service of its own", "nothing to do: it is tried again"),
	90012: passing("Entra ID timed out", "nothing to do: it is tried again"),
	90025: passing("Entra ID exceeded a limit of its own", "nothing to do: it is tried again"),
	50000: passing("Entra ID could not make the token just now", "nothing to do: it is tried again"),
}
