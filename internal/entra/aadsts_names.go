package entra

// The AADSTS codes that the product knows, by what they say. [Codes] has each
// with its answer and meaning.
const (
	// several accounts are signed in, or none fits
	CodeSelectAccount = 16000
	// the account must be chosen
	CodeAccountSelection         = 16001
	CodeScopesOfSeveralResources = 28000
	CodeTokenIssuance            = 50000
	CodeRedirectUnknown          = 50011
	CodeAssertionInvalid         = 50012
	CodeUserAssertionInvalid     = 50013
	CodeUserNotInTenant          = 50020
	CodeUserUnknown              = 50034
	CodeInstanceUnknown          = 50049
	CodeLocked                   = 50053
	CodePasswordExpired          = 50055
	CodeUserDisabled             = 50057
	CodeNobodySignedIn           = 50058
	CodeNoTenantNamed            = 50059
	CodeMustEnrollNow            = 50072
	CodeStrongAuthRequired       = 50074
	CodeMFARequired              = 50076
	CodeMFAExpired               = 50078
	CodeMustEnroll               = 50079
	CodeFlowExpired              = 50089
	CodeDeviceAuthRequired       = 50097
	CodeNotAssigned              = 50105
	// the password is being reset or registered
	CodePasswordReset = 50125
	CodeWrongPassword = 50126
	// the device has no broker app yet
	CodeBrokerMissing = 50127
	CodeDomainInvalid = 50128
	// the device must join the workplace
	CodeDeviceNotJoined    = 50129
	CodeCredentialsRevoked = 50132
	CodeSessionEnded       = 50133
	CodeStaySignedIn       = 50140
	// the session is one of another tenant
	CodeSessionMismatch           = 50143
	CodePasswordExpiredOnPremises = 50144
	CodeChallengeInvalid          = 50147
	CodeVerifierMissing           = 50148
	CodeExternalChallenge         = 50158
	CodeExternalClaimsMissing     = 50159
	CodeExternalClaimInvalid      = 50161
	CodeExternalUnreachable       = 50166
	CodeExternalUnmapped          = 50170
	CodeExternalNotAllowed        = 50172
	CodeRevoked                   = 50173
	CodePassthroughRefused        = 50177
	CodeNotMultiTenant            = 50194
	CodeClientLoop                = 50196
	// Windows integrated authentication is needed
	CodeIntegratedAuthNeeded    = 51006
	CodeDeviceNotCompliant      = 53000
	CodeDeviceNotDomainJoined   = 53001
	CodeAppNotApproved          = 53002
	CodeBlockedByPolicy         = 53003
	CodeEnrollmentBlocked       = 53004
	CodeUserRiskBlocked         = 53011
	CodeCodeRedeemed            = 54005
	CodeNoConsent               = 65001
	CodeConsentDeclined         = 65004
	CodeResourceNotListed       = 65005
	CodeGrantInvalid            = 70000
	CodeClientCredentialInvalid = 70002
	CodeGrantUnsupported        = 70003
	CodeResponseModeUnsupported = 70007
	CodeGrantExpired            = 70008
	CodeScopeInvalid            = 70011
	CodeDevicePending           = 70016
	CodeDeviceSlowDown          = 70017
	CodeDeviceCodeWrong         = 70018
	CodeDeviceCodeExpired       = 70019
	CodeDeviceDeclined          = 70020
	CodeFrequencyExpired        = 70043
	CodeSessionFrequencyExpired = 70044
	CodeTenantNotFound          = 90002
	CodeServiceRetry            = 90006
	CodeServiceTimeout          = 90012
	CodeFieldMissing            = 90014
	CodeRequestTooLarge         = 90023
	CodeBudgetExceeded          = 90024
	CodeServiceLimit            = 90025
	CodeTransient               = 90033
	CodePageExpired             = 90051
	// the tenant sends too many requests
	CodeTenantThrottled          = 90055
	CodeAccountNotInTenant       = 90072
	CodeAdminConsentRequired     = 90094
	CodeNotAuthorizedForPartner  = 90099
	CodePassWrong                = 130503
	CodeResourceNotFound         = 500011
	CodeResourceDisabled         = 500014
	CodeRedirectMismatch         = 500112
	CodeMFAFailed                = 500121
	CodeAssertionAudience        = 500131
	CodeAssertionTime            = 500133
	CodeVerifierWrong            = 501481
	CodeBlockedBySecurityPolicy  = 530032
	CodeDelegatedAdminBlocked    = 530034
	CodeBlockedByDefaults        = 530035
	CodeServiceNeverUsed         = 650052
	CodeResourceNotRequested     = 650057
	CodeGrantOfAnother           = 700005
	CodeAppNotFound              = 700016
	CodeAssertionOfAnotherApp    = 700021
	CodeAssertionElsewhere       = 700023
	CodeAssertionNotInTime       = 700024
	CodePublicClient             = 700025
	CodeCertificateUnknown       = 700027
	CodeResponseTypeDisabled     = 700054
	CodeRefreshInactive          = 700082
	CodeRefreshOfSPA             = 700084
	CodeFederatedIssuer          = 700211
	CodeFederatedAudience        = 700212
	CodeFederatedSubject         = 700213
	CodeTenantNameInvalid        = 900023
	CodeParameterMissing         = 900144
	CodeExternalPrincipalMissing = 900491
	CodeMethodNotAccepted        = 900561
	CodeScopeNotDefault          = 1002012
	CodeTenantBlocked            = 5000224
	CodeExternalTokenInvalid     = 5001256
	CodeAppDisabled              = 7000112
	CodeOnBehalfRefused          = 7000114
	CodeSecretWrong              = 7000215
	CodeCredentialMissing        = 7000218
	CodeCredentialExpired        = 7000222
	CodePrincipalMissing         = 7000229
	CodeParameterDuplicated      = 9000411
	CodeGrantNotAtCommon         = 9001023
	CodeMalformed                = 9002313
	CodeProofKeyNeeded           = 9002325
	CodeNotSPA                   = 9002326
	CodeOnlySPA                  = 9002327
	CodePersonalOnly             = 9002331
)
