package entra

// shortCodes are the rows of the numbers of five digits.
func shortCodes() []AADSTS {
	return []AADSTS{
		{Code: CodeSelectAccount, Source: publicCodes},
		{Code: CodeAccountSelection, Source: publicCodes},
		{
			Code: CodeScopesOfSeveralResources, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "Provided value for the input parameter scope is not valid because it contains more than " +
				"one resource."},
			Meaning: final(BucketRequest, "permissions of several resources were asked for at once", "ask for one resource at a time"),
		},
		{
			Code: CodeTokenIssuance, Source: publicCodes,
			Meaning: passing("Entra ID could not make the token just now", "nothing to do: it is tried again"),
		},
		{
			Code: CodeRedirectUnknown, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "The redirect URI specified in the request does not match the redirect URIs configured " +
				"for the application '%s'."},
			Meaning: final(BucketApp, "the redirect URI is not one of the app's", "add http://localhost (or the address in use) under Web redirect URIs"),
		},
		{
			Code: CodeAssertionInvalid, Source: tokenCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "Client assertion contains an invalid signature, is malformed, or re-uses " +
				"the identifier of another assertion."},
			Meaning: final(BucketCredential, "the app's assertion is not valid", redeploy),
		},
		{
			Code: CodeUserAssertionInvalid, Source: publicCodes,
			Answer: Answer{Word: invalidGrant, Text: "Assertion failed signature validation, is malformed, or is not a token of this cloud."},
		},
		{
			Code: CodeUserNotInTenant, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Text: "User account '%s' from identity provider '%s' does not exist in tenant '%s' and cannot " +
				"access the application '%s' in that tenant. The account needs to be added as an external " +
				"user in the tenant first."},
			Log:     "User account from identity provider does not exist in tenant and cannot access the application in that tenant.",
			Meaning: final(BucketAccess, "the account has no way into that tenant: it is not known there", roleThere),
		},
		{
			Code: CodeUserUnknown, Source: publicCodes,
			Answer: Answer{Word: invalidGrant, Text: "The user account does not exist in the %s directory. To sign into this application, the " +
				"account must be added to the directory."},
			Meaning: final(BucketAccount, "the account does not exist in the directory", "connect with an account that exists"),
		},
		{
			Code: CodeInstanceUnknown, Source: publicCodes,
			Meaning: final(BucketTenant, "the authority is not known", "check the cloud's name"),
		},
		{
			Code: CodeLocked, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Text: "The account is locked because of too many attempts with an incorrect user ID, password or " +
				"code. Try again later."},
			Log: "The account is locked because of too many attempts with an incorrect user ID or password.",
			Meaning: final(BucketAccount, "the account is locked, or the address is known for attacks",
				"wait for the lock-out to end or unlock the account, then "+again),
		},
		{
			Code: CodePasswordExpired, Source: signInCodes,
			Answer:  Answer{Word: invalidGrant, Sub: "user_password_expired", Text: "The password is expired."},
			Log:     "The password is expired.",
			Meaning: final(BucketAccount, "the account's password has expired", "change the password, then "+again),
		},
		{
			Code: CodeUserDisabled, Source: signInCodes,
			Answer:  Answer{Word: invalidGrant, Text: "The user account is disabled."},
			Log:     "The user account is disabled.",
			Meaning: final(BucketAccount, "the account is disabled", "enable the account, or connect with another one"),
		},
		{
			Code: CodeNobodySignedIn, Source: publicCodes,
			Answer:  Answer{Word: "login_required", Text: "A silent sign-in request was sent but no user is signed in."},
			Meaning: final(BucketMFA, "nobody is signed in in this browser", again),
		},
		{
			Code: CodeNoTenantNamed, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "No tenant-identifying information found in either the request or implied by any " +
				"provided credentials."},
			Meaning: final(BucketTenant, "no tenant was named", "give the tenant's id or domain"),
		},
		{
			Code: CodeMustEnrollNow, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "basic_action", Text: "Due to a configuration change made by your administrator, or because " +
				"you moved to a new location, you must enroll in multi-factor " +
				"authentication to access '%s'."},
			Log: "User needs to enroll for multifactor authentication (interactive).",
			Meaning: final(BucketEnrolment, "the account must register for MFA",
				"register a method at https://aka.ms/mfasetup with that account, then "+again),
		},
		{
			Code: CodeStrongAuthRequired, Source: signInCodes,
			Answer:  Answer{Word: interaction, Sub: "basic_action", Text: "Strong authentication is required."},
			Log:     "Strong authentication is required.",
			Meaning: final(BucketMFA, "strong authentication is required and was not completed", again),
		},
		{
			Code: CodeMFARequired, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "basic_action", Text: "Due to a configuration change made by your administrator, or because " +
				"you moved to a new location, you must use multi-factor authentication " +
				"to access '%s'."},
			Log: "Due to a configuration change made by your administrator, or because you moved to a new location, you must use " +
				"multifactor authentication to access the resource.",
			Meaning: final(BucketMFA, "MFA is now required: by Conditional Access, a new location, or a change an administrator made", again),
		},
		{
			Code: CodeMFAExpired, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "basic_action", Text: "Presented multi-factor authentication has expired due to policies " +
				"configured by your administrator, you must refresh your multi-factor " +
				"authentication to access '%s'."},
			Log: "Presented multifactor authentication has expired due to policies configured by your administrator, you must refresh " +
				"your multifactor authentication.",
			Meaning: final(BucketMFA, "the MFA is older than the sign-in frequency allows", again+"; consider a longer sign-in frequency for this account"),
		},
		{
			Code: CodeMustEnroll, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "basic_action", Text: "Due to a configuration change made by your administrator, or because " +
				"you moved to a new location, you must enroll in multi-factor " +
				"authentication to access '%s'."},
			Log: "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in " +
				"multifactor authentication to access the resource.",
			Meaning: final(BucketEnrolment, "the account must register for MFA, or its federated provider sent no MFA claim",
				"register a method at https://aka.ms/mfasetup with that account, then "+again),
		},
		{
			Code: CodeFlowExpired, Source: publicCodes,
			Meaning: final(BucketToken, "the sign-in took too long", again),
		},
		{
			Code: CodeDeviceAuthRequired, Source: signInCodes,
			Log:     "Device authentication is required.",
			Meaning: final(BucketPolicy, "the device must prove itself", "sign in from a registered device, or exclude the account from the device policy"),
		},
		{
			Code: CodeNotAssigned, Source: signInCodes,
			Answer:  Answer{Word: interaction, Text: "The signed in user is not assigned to a role for the application '%s'."},
			Log:     "The signed in user is not assigned to a role for the application.",
			Meaning: final(BucketApp, "the account is not assigned to the app", "assign the account to the app under Enterprise applications, then "+again),
		},
		{Code: CodePasswordReset, Source: publicCodes},
		{
			Code: CodeWrongPassword, Source: signInCodes,
			Answer:  Answer{Word: invalidGrant, Text: "Error validating credentials due to invalid username or password."},
			Log:     "Error validating credentials due to invalid username or password.",
			Meaning: final(BucketAccount, "the user name or password is wrong", again),
		},
		{Code: CodeBrokerMissing, Source: publicCodes},
		{
			Code: CodeDomainInvalid, Source: publicCodes,
			Meaning: final(BucketTenant, "the tenant's domain is not valid", "check the tenant's id or domain"),
		},
		{Code: CodeDeviceNotJoined, Source: publicCodes},
		{
			Code: CodeCredentialsRevoked, Source: publicCodes,
			Meaning: final(BucketToken, "the credentials were revoked, by a password change or an administrator", again),
		},
		{
			Code: CodeSessionEnded, Source: publicCodes,
			Meaning: final(BucketToken, "the session ended because the password expired or was changed", again),
		},
		{
			Code: CodeStaySignedIn, Source: signInCodes,
			Answer:  Answer{Word: interaction, Text: "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in."},
			Log:     "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
			Meaning: final(BucketMFA, "the question about staying signed in was left open", again),
		},
		{Code: CodeSessionMismatch, Source: publicCodes},
		{
			Code: CodePasswordExpiredOnPremises, Source: signInCodes,
			Log:     "The user's password has expired.",
			Meaning: final(BucketAccount, "the account's password has expired on premises", "change the password, then "+again),
		},
		{
			Code: CodeChallengeInvalid, Source: tokenCodes,
			Answer: Answer{Word: invalidRequest, Text: "The code challenge is missing, has the wrong size, or has a method other than S256. " +
				"Proof Key for Code Exchange is required for this client."},
			Meaning: final(BucketRequest, "the proof key of the sign-in (PKCE) is missing or wrong", again),
		},
		{
			Code: CodeVerifierMissing, Source: tokenCodes,
			Answer: Answer{Word: invalidGrant, Text: "The code_verifier is missing, or was sent for a code that was asked for without a " +
				"code_challenge."},
			Meaning: final(BucketRequest, "the proof key (PKCE) is not the one the sign-in began with", again),
		},
		{
			Code: CodeExternalChallenge, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "basic_action", Text: "External security challenge not satisfied. The user is redirected to " +
				"another page or authentication provider to satisfy additional " +
				"authentication challenges."},
			Log:     "External security challenge was not satisfied.",
			Meaning: final(BucketMFA, "an external MFA provider or another step outside Entra ID was not satisfied", again),
		},
		{
			Code: CodeExternalClaimsMissing, Source: signInCodes,
			Meaning: final(BucketMFA, "the external MFA provider sent too few claims",
				"ask the provider's operator to send amr and acr as Entra ID wants them, then "+again),
		},
		{
			Code: CodeExternalClaimInvalid, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Text: "Failed to validate authorization url of external claims provider, or a claim of its " +
				"answer: %s."},
			Log:     "Failed to validate authorization url of external claims provider: a claim of its token is invalid.",
			Meaning: final(BucketMFA, "the external MFA provider sent a claim that is not valid", "ask the provider's operator, then "+again),
		},
		{
			Code: CodeExternalUnreachable, Source: signInCodes,
			Meaning: final(BucketMFA, "the external MFA provider could not be asked", "check that the provider is up, then "+again),
		},
		{
			Code: CodeExternalUnmapped, Source: signInCodes,
			Meaning: final(BucketMFA, "the external MFA provider's control is not mapped",
				"check the external authentication method's configuration, then "+again),
		},
		{
			Code: CodeExternalNotAllowed, Source: signInCodes,
			Meaning: final(BucketMFA, "that external MFA provider is not allowed",
				"allow it in the authentication methods policy, or use another method, then "+again),
		},
		{
			Code: CodeRevoked, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Sub: "bad_token", Text: "The provided grant has expired due to it being revoked, a fresh auth " +
				"token is needed. The user might have changed or reset their password. " +
				"The grant was issued on '%s' and the TokensValidFrom date for this user " +
				"is '%s'."},
			Log:     "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
			Meaning: final(BucketToken, "the sign-in was revoked: sessions were revoked or an administrator reset the password", again),
		},
		{
			Code: CodePassthroughRefused, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Text: "User account '%s' from identity provider '%s' cannot be passed through to tenant '%s': it " +
				"is a guest there and holds no delegated administration rights."},
			Log: "External challenge is not supported for passthrough users: the account cannot be passed through to the customer's " +
				"tenant.",
			Meaning: final(BucketAccess, "the account cannot act in that tenant: its delegated rights are gone", roleThere),
		},
		{
			Code: CodeNotMultiTenant, Source: tokenCodes,
			Answer: Answer{Word: invalidRequest, Text: "Application '%s' is not configured as a multi-tenant application. Usage of the /common " +
				"endpoint is not supported for such apps: use a tenant-specific endpoint or configure " +
				"the application to be multi-tenant."},
			Meaning: final(BucketApp, "the app is not registered for several tenants", "set signInAudience to AzureADMultipleOrgs, or name the tenant"),
		},
		{
			Code: CodeClientLoop, Source: publicCodes,
			Meaning: passing("Entra ID saw the same request too often and makes this client wait", "nothing to do: it is tried again more slowly"),
		},
		{Code: CodeIntegratedAuthNeeded, Source: publicCodes},
		{
			Code: CodeDeviceNotCompliant, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "message_only", Text: "Device is not in required device state: compliant."},
			Log:    "Device is not in required device state: compliant.",
			Meaning: final(BucketPolicy, "Conditional Access wants a compliant device",
				"sign in from a compliant device, or give this account a policy without a device condition but with MFA"),
		},
		{
			Code: CodeDeviceNotDomainJoined, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "message_only", Text: "Device is not in required device state: domain_joined."},
			Log:    "Device is not in required device state: domain_joined.",
			Meaning: final(BucketPolicy, "Conditional Access wants a domain-joined device",
				"sign in from a joined device, or give this account a policy without a device condition but with MFA"),
		},
		{
			Code: CodeAppNotApproved, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "message_only", Text: "The app used is not an approved app for Conditional Access."},
			Log:    "The app used is not an approved app for conditional access.",
			Meaning: final(BucketPolicy, "Conditional Access wants an approved app",
				"leave this app out of the approved-app policy and require MFA instead"),
		},
		{
			Code: CodeBlockedByPolicy, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "message_only", Text: "Access has been blocked by Conditional Access policies. The access " +
				"policy does not allow token issuance."},
			Log: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
			Meaning: final(BucketPolicy, "Conditional Access blocks this sign-in",
				"find the policy in the sign-in log and let this account and app through with MFA"),
		},
		{
			Code: CodeEnrollmentBlocked, Source: signInCodes,
			Answer: Answer{Word: interaction, Sub: "message_only", Text: "The user needs to complete multi-factor authentication registration, " +
				"and policy does not allow it here."},
			Log:     "User needs to complete multifactor authentication registration, and it was blocked because of risk.",
			Meaning: final(BucketPolicy, "registering for MFA is blocked because of risk", "an administrator reviews the risk, then register and "+again),
		},
		{
			Code: CodeUserRiskBlocked, Source: signInCodes,
			Meaning: final(BucketPolicy, "the account is blocked because of risk", "an administrator reviews and clears the user risk, then "+again),
		},
		{
			Code: CodeCodeRedeemed, Source: tokenCodes,
			Answer: Answer{Word: invalidGrant, Text: "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use " +
				"an existing refresh token."},
			Meaning: final(BucketToken, "the authorization code was used before", again),
		},
		{
			Code: CodeNoConsent, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Sub: "consent_required", Text: "The user or administrator has not consented to use the " +
				"application with ID '%s'. Send an interactive authorization " +
				"request for this user and resource."},
			Log:     "The user or administrator has not consented to use the application.",
			Meaning: final(BucketConsent, "nobody consented to the app for what was asked", "at a customer: "+atCustomer+"; in the partner tenant: "+atHome),
		},
		{
			Code: CodeConsentDeclined, Source: signInCodes,
			Answer:  Answer{Word: "access_denied", Text: "User declined to consent to access the app."},
			Log:     "User declined to consent to access the app.",
			Meaning: final(BucketConsent, "the person declined to consent", "run partnerguard connect again and accept, or let an administrator consent"),
		},
		{
			Code: CodeResourceNotListed, Source: signInCodes,
			Meaning: final(BucketConsent, "the app asks for a resource that its registration does not list",
				"add the permissions of the app manifest to the registration, then consent again"),
		},
		{
			Code: CodeGrantInvalid, Source: tokenCodes,
			Answer:  Answer{Word: invalidGrant, Text: "Provided grant is invalid or malformed."},
			Meaning: final(BucketToken, "the refresh token or code is not valid", again),
		},
		{
			Code: CodeClientCredentialInvalid, Source: tokenCodes,
			Answer: Answer{Word: invalidClient, Status: 401, Text: "The client may not use this grant: it is not marked as a public client, and " +
				"no credential was presented."},
			Meaning: final(BucketCredential, "the app's credential is not valid", redeploy),
		},
		{
			Code: CodeGrantUnsupported, Source: publicCodes,
			Answer: Answer{Word: "unsupported_grant_type", Text: "The app requested an unsupported grant type '%s'."},
		},
		{
			Code: CodeResponseModeUnsupported, Source: publicCodes,
			Answer: Answer{Word: "unsupported_response_mode", Text: "The response mode '%s' is not supported for this request."},
		},
		{
			Code: CodeGrantExpired, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Text: "The provided authorization code or refresh token has expired. Send a new interactive " +
				"authorization request for this user and resource."},
			Log:     "The refresh token has expired due to inactivity or the code has expired.",
			Meaning: final(BucketToken, "the refresh token or the code has expired", again),
		},
		{
			Code: CodeScopeInvalid, Source: publicCodes,
			Answer: Answer{Word: invalidScope, Text: "The provided request must include a 'scope' input parameter. The provided value for the " +
				"input parameter 'scope' is not valid: %s."},
			Meaning: final(BucketRequest, "a permission that was asked for does not exist", "compare the permissions with the app manifest"),
		},
		{
			Code: CodeDevicePending, Source: tokenCodes,
			Answer:  Answer{Word: "authorization_pending", Text: "OAuth 2.0 device flow error. Authorization is pending. Continue polling."},
			Meaning: Meaning{Words: "the person has not entered the device code yet", Fix: "enter the code", Bucket: BucketTransient},
		},
		{
			Code: CodeDeviceSlowDown, Source: publicCodes,
			Answer: Answer{Word: "slow_down", Text: "OAuth 2.0 device flow error. Polling too fast: wait %d seconds between requests."},
		},
		{
			Code: CodeDeviceCodeWrong, Source: tokenCodes,
			Answer:  Answer{Word: "bad_verification_code", Text: "Verification code is not valid or was used already."},
			Meaning: final(BucketRequest, "the device code is wrong", "begin again"),
		},
		{
			Code: CodeDeviceCodeExpired, Source: tokenCodes,
			Answer:  Answer{Word: "expired_token", Text: "Verification code expired."},
			Meaning: final(BucketRequest, "the device code has expired", "begin again"),
		},
		{
			Code: CodeDeviceDeclined, Source: publicCodes,
			Answer: Answer{Word: "authorization_declined", Text: "The user declined the authorization request."},
		},
		{
			Code: CodeFrequencyExpired, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Sub: "token_expired", Text: "The refresh token has expired or is invalid due to sign-in " +
				"frequency checks by conditional access. The token was issued on %s " +
				"and the maximum allowed lifetime for this request is %d."},
			Log: "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.",
			Meaning: final(BucketToken, "the sign-in frequency of Conditional Access ended the refresh token",
				again+"; consider a longer sign-in frequency for this account and app"),
		},
		{
			Code: CodeSessionFrequencyExpired, Source: publicCodes,
			Meaning: final(BucketToken, "the session ended by the sign-in frequency of Conditional Access", again),
		},
		{
			Code: CodeTenantNotFound, Source: tokenCodes,
			Answer: Answer{Word: invalidRequest, Text: "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are " +
				"signing into the correct cloud. This cloud is local and holds only its own tenants."},
			Meaning: final(BucketTenant, "there is no such tenant", "check the tenant's id or domain"),
		},
		{
			Code: CodeServiceRetry, Source: publicCodes,
			Meaning: passing("Entra ID could not reach another service of its own", "nothing to do: it is tried again"),
		},
		{
			Code: CodeServiceTimeout, Source: publicCodes,
			Meaning: passing("Entra ID timed out", "nothing to do: it is tried again"),
		},
		{
			Code: CodeFieldMissing, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "The required field '%s' is missing from the request. Ensure that you have all the " +
				"necessary parameters for the login request."},
		},
		{
			Code: CodeRequestTooLarge, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "The request is too large."},
		},
		{
			Code: CodeBudgetExceeded, Source: publicCodes,
			Meaning: passing("Entra ID ran out of time for the request", "nothing to do: it is tried again"),
		},
		{
			Code: CodeServiceLimit, Source: publicCodes,
			Meaning: passing("Entra ID exceeded a limit of its own", "nothing to do: it is tried again"),
		},
		{
			Code: CodeTransient, Source: publicCodes,
			Meaning: passing("Entra ID has a passing error", "nothing to do: it is tried again"),
		},
		{
			Code: CodePageExpired, Source: publicCodes,
			Answer: Answer{Word: invalidRequest, Text: "The sign-in page has expired, or belongs to another browser. Start again from the app."},
		},
		{Code: CodeTenantThrottled, Source: publicCodes},
		{
			Code: CodeAccountNotInTenant, Source: signInCodes,
			Meaning: final(BucketAccess, "the account is not in that tenant", roleThere),
		},
		{
			Code: CodeAdminConsentRequired, Source: signInCodes,
			Answer:  Answer{Word: "access_denied", Text: "An administrator must grant the permissions that the application '%s' asks for."},
			Meaning: final(BucketConsent, "an administrator must consent", atHome),
		},
		{
			Code: CodeNotAuthorizedForPartner, Source: signInCodes,
			Answer: Answer{Word: invalidGrant, Sub: "consent_required", Text: "The application '%s' has not been authorized in the tenant '%s'. " +
				"Applications must be authorized to access the customer tenant " +
				"before partner delegated administrators can use them."},
			Meaning: final(BucketConsent, "the app is not authorised in that customer's tenant for partners' delegated administrators", atCustomer),
		},
	}
}
