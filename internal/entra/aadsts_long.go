package entra

// longCodes are the rows of the longer numbers, which Entra ID gave out later or
// as a closer word for a short one.
func longCodes() []AADSTS {
	return []AADSTS{
		{
			Code: CodeResourceNotFound, Source: tokenCodes,
			Answer: Answer{Word: invalidTarget, Text: "The resource principal named %s was not found in the tenant named %s."},
			Meaning: final(BucketConsent, "the resource is not known in that tenant",
				"the service was never used there: use it once, or leave it out for that customer"),
		},
		{
			Code: CodeResourceDisabled, Source: publicCodes,
			Meaning: final(BucketConsent, "the resource is disabled in that tenant", "the tenant's administrator enables it under Enterprise applications"),
		},
		{
			Code: CodeRedirectMismatch, Source: publicCodes,
			Answer: Answer{Word: invalidClient, Text: "The reply address does not match the reply address provided when requesting " +
				"Authorization code."},
			Meaning: final(BucketRequest, "the redirect URI is not the one the sign-in began with", again),
		},
		{
			Code: CodeMFAFailed, Source: signInCodes,
			Answer:  Answer{Word: interaction, Text: "Authentication failed during strong authentication request."},
			Log:     "Authentication failed during strong authentication request.",
			Meaning: final(BucketMFA, "MFA failed, was denied or timed out", again),
		},
		{
			Code: CodeAssertionAudience, Source: publicCodes,
			Answer: Answer{Word: invalidGrant, Text: "Assertion audience does not match the Client app presenting the assertion."},
		},
		{
			Code: CodeAssertionTime, Source: publicCodes,
			Answer: Answer{Word: invalidGrant, Text: "Assertion is not within its valid time range. Ensure that the access token is not expired " +
				"before using it for user assertion."},
		},
		{
			Code: CodeVerifierWrong, Source: publicCodes,
			Answer:  Answer{Word: invalidGrant, Text: "The Code_Verifier does not match the code_challenge supplied in the authorization request."},
			Meaning: final(BucketRequest, "the proof key (PKCE) is not the one the sign-in began with", again),
		},
		{
			Code: CodeBlockedBySecurityPolicy, Source: signInCodes,
			Meaning: final(BucketPolicy, "a security policy of the tenant blocks the account", "ask the tenant's administrator which policy, then "+again),
		},
		{
			Code: CodeDelegatedAdminBlocked, Source: signInCodes,
			Meaning: final(BucketPolicy, "a delegated administrator was blocked for suspicious activity",
				"contact Microsoft partner support, and look at the sign-in log first"),
		},
		{
			Code: CodeBlockedByDefaults, Source: signInCodes,
			Answer: Answer{Word: "access_denied", Sub: "message_only", Text: "Access has been blocked by security defaults."},
			Log:    "Access has been blocked by security defaults.",
			Meaning: final(BucketPolicy, "security defaults block this way of signing in",
				"use the browser sign-in of partnerguard connect, not a device code or an old protocol"),
		},
		{
			Code: CodeServiceNeverUsed, Source: signInCodes,
			Meaning: final(BucketConsent, "the resource's service principal is missing in that tenant: the service was never used there",
				"use the service there once, or leave the resource out for that customer"),
		},
		{
			Code: CodeResourceNotRequested, Source: signInCodes,
			Answer: Answer{Word: invalidTarget, Text: "Invalid resource. The client has requested access to a resource which is not listed in " +
				"the requested permissions in the client's application registration. Client app ID: %s. " +
				"Resource value from request: %s."},
			Meaning: final(BucketConsent, "the resource is not among those the app's registration lists",
				"add the permissions of the app manifest to the registration, then consent again"),
		},
		{
			Code: CodeGrantOfAnother, Source: publicCodes,
			Answer: Answer{Word: invalidGrant, Text: "The provided grant was issued to another client or tenant."},
			Meaning: final(BucketToken, "the refresh token or code was given to another app or for another tenant",
				"connect again with this app: partnerguard connect"),
		},
		{
			Code: CodeAppNotFound, Source: tokenCodes,
			Answer: Answer{Word: unauthorized, Text: "Application with identifier '%s' was not found in the directory '%s'. This can happen if " +
				"the application has not been installed by the administrator of the tenant or consented to " +
				"by any user in the tenant."},
			Meaning: final(BucketApp, "the app is not known in that tenant", "check the client id; in the partner tenant, consent to the app once"),
		},
		{
			Code: CodeAssertionOfAnotherApp, Source: publicCodes,
			Answer:  Answer{Word: invalidClient, Status: 401, Text: "Client assertion application identifier doesn't match 'client_id' parameter."},
			Meaning: final(BucketCredential, "the app's assertion names another app", "check the client id"),
		},
		{
			Code: CodeAssertionElsewhere, Source: publicCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "Client assertion audience claim does not match the token endpoint that was " +
				"asked."},
			Meaning: final(BucketCredential, "the app's assertion is for another address", "check the cloud and the tenant"),
		},
		{
			Code: CodeAssertionNotInTime, Source: publicCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "Client assertion is not within its valid time range."},
			Meaning: Meaning{Words: "the app's assertion is not valid at this time: a clock is wrong",
				Fix: "set this machine's clock; nobody needs to sign in again", Bucket: BucketClock},
		},
		{
			Code: CodePublicClient, Source: publicCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "Client is public so neither 'client_assertion' nor 'client_secret' should " +
				"be presented."},
			Meaning: final(BucketApp, "the app is a public client and sent a credential",
				"register the redirect URI under Web, or leave the credential out"),
		},
		{
			Code: CodeCertificateUnknown, Source: tokenCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "The certificate with identifier used to sign the client assertion is not " +
				"registered on application, or its signature is wrong."},
			Meaning: final(BucketCredential, "the signature of the app's certificate is not accepted: that certificate is not on the registration",
				"upload the certificate that partnerguard uses to the app registration"),
		},
		{
			Code: CodeResponseTypeDisabled, Source: publicCodes,
			Answer: Answer{Word: "unsupported_response_type", Text: "response_type '%s' is not enabled for the application."},
		},
		{
			Code: CodeRefreshInactive, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Sub: "token_expired", Text: "The refresh token has expired due to inactivity. The token was " +
				"issued on %s and was inactive for 90.00:00:00."},
			Log:     "The refresh token has expired due to inactivity.",
			Meaning: final(BucketToken, "the refresh token was not used for 90 days", again+", and let the renewal run daily"),
		},
		{
			Code: CodeRefreshOfSPA, Source: tokenCodes,
			Answer: Answer{Word: invalidGrant, Sub: "token_expired", Text: "The refresh token was issued to a single page app (SPA), and " +
				"therefore has a fixed, limited lifetime of 1.00:00:00, which cannot " +
				"be extended. It is now expired. The token was issued on %s."},
			Meaning: final(BucketToken, "the refresh token belongs to a single-page app and lived its 24 hours",
				"register the redirect URI under Web, not Single-page application, then "+again),
		},
		{
			Code: CodeFederatedIssuer, Source: publicCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "No matching federated identity record found for presented assertion issuer."},
			Meaning: final(BucketCredential, "no federated credential of the app has the issuer of the token",
				"compare the issuer in the app's federated credential"),
		},
		{
			Code: CodeFederatedAudience, Source: publicCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "No matching federated identity record found for presented assertion " +
				"audience."},
			Meaning: final(BucketCredential, "no federated credential of the app has the audience of the token",
				"compare the audience in the app's federated credential"),
		},
		{
			Code: CodeFederatedSubject, Source: publicCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "No matching federated identity record found for presented assertion subject."},
			Meaning: final(BucketCredential, "no federated credential of the app has the subject of the token",
				"compare the subject in the app's federated credential"),
		},
		{
			Code: CodeTenantNameInvalid, Source: tokenCodes,
			Answer: Answer{Word: invalidRequest, Text: "Specified tenant identifier '%s' is neither a valid DNS name, nor a valid external " +
				"domain."},
			Meaning: final(BucketTenant, "the tenant's name is not valid", "check the tenant's id or domain"),
		},
		{
			Code: CodeParameterMissing, Source: publicCodes,
			Answer:  Answer{Word: invalidRequest, Text: "The request body must contain the following parameter: '%s'."},
			Meaning: final(BucketRequest, "the request lacks a parameter", ourMistake),
		},
		{
			Code: CodeExternalPrincipalMissing, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Text: "The service principal of the external MFA provider '%s' was not found in the tenant '%s'. " +
				"An administrator must consent to it first."},
			Log: "The service principal of the external MFA provider is missing.",
			Meaning: final(BucketMFA, "the external MFA provider's service principal is missing in the tenant",
				"an administrator consents to the provider's app, then "+again),
		},
		{
			Code: CodeMethodNotAccepted, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "The endpoint only accepts %s requests. Received a %s request."},
		},
		{
			Code: CodeTenantBlocked, Source: tokenCodes,
			Answer:  Answer{Word: invalidGrant, Text: "The tenant is blocked."},
			Meaning: final(BucketTenant, "the tenant is blocked", "contact Microsoft support"),
		},
		{
			Code: CodeExternalTokenInvalid, Source: signInCodes,
			Answer:  Answer{Word: invalidGrant, Text: "Failed to complete authentication with external provider due to invalid id_token: %s."},
			Log:     "The token of the external MFA provider is invalid.",
			Meaning: final(BucketMFA, "the answer of the external MFA provider is not valid", "check issuer, keys and clock of the provider, then "+again),
		},
		{
			Code: CodeAppDisabled, Source: publicCodes,
			Answer:  Answer{Word: unauthorized, Text: "Application '%s' is disabled."},
			Meaning: final(BucketApp, "the app is disabled in that tenant", "enable it under Enterprise applications"),
		},
		{
			Code: CodeOnBehalfRefused, Source: publicCodes,
			Answer: Answer{Word: invalidGrant, Text: "Application is not allowed to make application on-behalf-of calls: the assertion is not a " +
				"user's token."},
		},
		{
			Code: CodeSecretWrong, Source: tokenCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "Invalid client secret provided. Ensure the secret being sent in the request " +
				"is the client secret value, not the client secret ID, for a secret added to " +
				"app '%s'."},
			Meaning: final(BucketCredential, "the client secret is wrong", "give the secret's value, not its id; better, change to a certificate"),
		},
		{
			Code: CodeCredentialMissing, Source: tokenCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "The request body must contain the following parameter: 'client_assertion' " +
				"or 'client_secret'."},
			Meaning: final(BucketCredential, "the app sent no credential and it must", "give the app a certificate"),
		},
		{
			Code: CodeCredentialExpired, Source: tokenCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "The provided client secret keys or certificates for app '%s' are expired. " +
				"Create new keys for your app."},
			Meaning: final(BucketCredential, "the app's secret or certificate has expired", redeploy+"; nobody needs to sign in again"),
		},
		{
			Code: CodePrincipalMissing, Source: tokenCodes,
			Answer:  Answer{Word: unauthorized, Text: "The client application '%s' is missing service principal in the tenant '%s'."},
			Meaning: final(BucketApp, "the app has no service principal in that tenant", "consent to the app there: "+atCustomer),
		},
		{
			Code: CodeParameterDuplicated, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "The request is not properly formatted. The parameter '%s' is duplicated."},
		},
		{
			Code: CodeGrantNotAtCommon, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "The grant type is not supported over the /common or /consumers endpoints. Use the " +
				"/organizations or tenant-specific endpoint."},
		},
		{
			Code: CodeMalformed, Source: tokenCodes,
			Answer:  Answer{Word: invalidRequest, Text: "Invalid request. Request is malformed or invalid."},
			Meaning: final(BucketRequest, "the request is malformed", ourMistake),
		},
		{
			Code: CodeNotSPA, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "Cross-origin token redemption is permitted only for the 'Single-Page Application' " +
				"client-type."},
			Meaning: final(BucketApp, "the redirect URI is not one of a single-page app", "register the redirect URI under Web"),
		},
		{
			Code: CodeOnlySPA, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via " +
				"cross-origin requests."},
			Meaning: final(BucketApp, "the redirect URI is one of a single-page app", "register the redirect URI under Web, then "+again),
		},
		{
			Code: CodePersonalOnly, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "Application is configured for use by personal accounts only, and this cloud has none: " +
				"use a tenant, /organizations or /common."},
		},
	}
}
