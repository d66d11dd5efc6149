package graph

import (
	"strings"
	"sync"
)

// metadata names the properties of every type that is served: "*" marks a
// collection, "<" what only v1.0 has, ">" what only beta has. directoryObject is
// the union of its types, because Graph takes any of their properties there.
// Made from Graph's published metadata (microsoftgraph/msgraph-metadata, commit
// f54f11b60956ea7b185ca0447b2b80805836ec7b, MIT); a test compares it.
const metadata = `
user: aboutMe accountEnabled ageGroup *assignedLicenses *assignedPlans authorizationInfo birthday *businessPhones city cloudLicensing>
	cloudRealtimeCommunicationInfo> companyName consentProvidedForMinor country createdDateTime creationType customSecurityAttributes deletedDateTime
	department deviceEnrollmentLimit *deviceKeys> displayName employeeHireDate employeeId employeeLeaveDateTime employeeOrgData employeeType
	externalUserState externalUserStateChangeDateTime faxNumber givenName hireDate id *identities identityGovernance> identityParentId *imAddresses
	*infoCatalogs> *interests isLicenseReconciliationNeeded> isManagementRestricted isResourceAccount jobTitle lastPasswordChangeDateTime
	legalAgeGroupClassification *licenseAssignmentStates mail mailNickname mailboxSettings mobilePhone mySite officeLocation onPremisesDistinguishedName
	onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId onPremisesLastSyncDateTime *onPremisesProvisioningErrors
	onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSipInfo> onPremisesSyncEnabled onPremisesUserPrincipalName *otherMails
	passwordPolicies passwordProfile *pastProjects postalCode preferredDataLocation preferredLanguage preferredName print *provisionedPlans
	*proxyAddresses refreshTokensValidFromDateTime> *responsibilities *schools securityIdentifier *serviceProvisioningErrors showInAddressList
	signInActivity signInSessionsValidFromDateTime *skills state streetAddress surname usageLocation userPrincipalName userType
group: accessType allowExternalSenders *assignedLabels *assignedLicenses autoSubscribeNewMembers classification cloudLicensing> createdByAppId>
	createdDateTime deletedDateTime description displayName expirationDateTime *groupTypes hasMembersWithLicenseErrors hideFromAddressLists
	hideFromOutlookClients id *infoCatalogs isArchived isAssignableToRole isFavorite isManagementRestricted isSubscribedByMail licenseProcessingState
	mail mailEnabled mailNickname membershipRule membershipRuleProcessingState membershipRuleProcessingStatus> onPremisesDomainName
	onPremisesExtensionAttributes onPremisesLastSyncDateTime onPremisesNetBiosName *onPremisesProvisioningErrors onPremisesSamAccountName
	onPremisesSecurityIdentifier onPremisesSyncEnabled organizationId preferredDataLocation preferredLanguage *proxyAddresses renewedDateTime
	*resourceBehaviorOptions *resourceProvisioningOptions securityEnabled securityIdentifier *serviceProvisioningErrors theme uniqueName
	unseenConversationsCount unseenCount unseenMessagesCount visibility welcomeMessageEnabled writebackConfiguration>
directoryRole: deletedDateTime description displayName id roleTemplateId
servicePrincipal: accountEnabled *addIns *alternativeNames appDescription appDisplayName appId appOwnerOrganizationId appRoleAssignmentRequired
	*appRoles applicationTemplateId createdByAppId customSecurityAttributes deletedDateTime description disabledByMicrosoftStatus displayName errorUrl>
	homepage id info isDisabled *keyCredentials loginUrl logoutUrl notes *notificationEmailAddresses *oauth2PermissionScopes< *passwordCredentials
	passwordSingleSignOnSettings> preferredSingleSignOnMode preferredTokenSigningKeyEndDateTime> preferredTokenSigningKeyThumbprint
	*publishedPermissionScopes> publisherName> *replyUrls *resourceSpecificApplicationPermissions< samlMetadataUrl> samlSingleSignOnSettings
	*servicePrincipalNames servicePrincipalType signInAudience *tags tokenEncryptionKeyId verifiedPublisher
application: *addIns< api appId *appRoles applicationTemplateId< authenticationBehaviors certification createdByAppId createdDateTime
	defaultRedirectUri deletedDateTime description disabledByMicrosoftStatus displayName groupMembershipClaims id *identifierUris info
	isDeviceOnlyAuthSupported isDisabled isFallbackPublicClient *keyCredentials logo *managerApplications nativeAuthenticationApisEnabled notes
	oauth2RequirePostResponse< onPremisesPublishing> optionalClaims parentalControlSettings *passwordCredentials publicClient publisherDomain
	requestSignatureVerification *requiredResourceAccess samlMetadataUrl serviceManagementReference servicePrincipalLockConfiguration signInAudience
	signInAudienceRestrictions> spa *tags tokenEncryptionKeyId uniqueName verifiedPublisher web windows>
organization: *assignedPlans *businessPhones certificateConnectorSetting> city country countryLetterCode createdDateTime defaultUsageLocation
	deletedDateTime directorySizeQuota> displayName id isMultipleDataLocationsForServicesEnabled> *marketingNotificationEmails
	mobileDeviceManagementAuthority onPremisesLastPasswordSyncDateTime> onPremisesLastSyncDateTime onPremisesSyncEnabled partnerTenantType postalCode
	preferredLanguage privacyProfile *provisionedPlans *securityComplianceNotificationMails *securityComplianceNotificationPhones state street
	*technicalNotificationMails tenantType *verifiedDomains
licenseDetails: id *servicePlans skuId skuPartNumber
administrativeUnit: deletedDateTime description displayName id isMemberManagementRestricted membershipRule membershipRuleProcessingState membershipType
	visibility
directoryRoleTemplate: deletedDateTime description displayName id
scopedRoleMembership: administrativeUnitId id roleId roleMemberInfo
domain: authenticationType availabilityStatus id isAdminManaged isDefault isInitial isRoot isVerified manufacturer< model<
	passwordNotificationWindowInDays passwordValidityPeriodInDays state *supportedServices
contract: contractType customerId defaultDomainName deletedDateTime displayName id
subscribedSku: accountId accountName appliesTo capabilityStatus consumedUnits id prepaidUnits *servicePlans skuId skuPartNumber *subscriptionIds
signIn: agent> appDisplayName appId appOwnerTenantId> appTokenProtectionStatus> *appliedConditionalAccessPolicies *appliedEventListeners>
	authenticationAppDeviceDetails *authenticationAppPolicyEvaluationDetails> *authenticationContextClassReferences> *authenticationDetails>
	*authenticationMethodsUsed> *authenticationProcessingDetails> authenticationProtocol> authenticationRequirement> *authenticationRequirementPolicies>
	autonomousSystemNumber> azureResourceId> clientAppUsed clientCredentialType> clientSessionId> *conditionalAccessAudiences> conditionalAccessStatus
	correlationId createdDateTime crossTenantAccessType> deviceDetail federatedCredentialId> flaggedForReview> globalSecureAccessIpAddress> homeTenantId
	homeTenantName> id incomingTokenType> ipAddress ipAddressFromResourceProvider> isInteractive isTenantRestricted> isThroughGlobalSecureAccess>
	location managedServiceIdentity> mfaDetail> *networkLocationDetails> originalRequestId> originalTransferMethod> privateLinkDetails>
	processingTimeInMilliseconds> resourceDisplayName resourceId resourceOwnerTenantId> resourceServicePrincipalId> resourceTenantId riskDetail
	*riskEventTypes< *riskEventTypes_v2 riskLevelAggregated riskLevelDuringSignIn riskState servicePrincipalCredentialKeyId>
	servicePrincipalCredentialThumbprint> servicePrincipalId servicePrincipalName sessionId> *sessionLifetimePolicies> *signInEventTypes>
	signInIdentifier> signInIdentifierType> signInTokenProtectionStatus> status tokenIssuerName> tokenIssuerType> tokenProtectionStatusDetails>
	uniqueTokenIdentifier> userAgent userDisplayName userId userPrincipalName userType>
directoryAudit: activityDateTime activityDisplayName *additionalDetails category correlationId id initiatedBy loggedByService operationType
	performedBy> result resultReason *targetResources userAgent>
userRegistrationDetails: defaultMfaMethod> id isAdmin isMfaCapable isMfaRegistered isPasswordlessCapable isSsprCapable isSsprEnabled isSsprRegistered
	isSystemPreferredAuthenticationMethodEnabled lastUpdatedDateTime *methodsRegistered *systemPreferredAuthenticationMethods userDisplayName
	userPreferredMethodForSecondaryAuthentication userPrincipalName userType
identitySecurityDefaultsEnforcementPolicy: deletedDateTime description displayName id isEnabled
conditionalAccessPolicy: conditions createdDateTime deletedDateTime description displayName grantControls id modifiedDateTime sessionControls state
	templateId<
whatIfAnalysisResult: analysisReasons conditions createdDateTime deletedDateTime description displayName grantControls id modifiedDateTime
	policyApplies sessionControls state templateId<
namedLocation: createdDateTime deletedDateTime displayName id modifiedDateTime
ipNamedLocation: createdDateTime deletedDateTime displayName id *ipRanges isTrusted modifiedDateTime
countryNamedLocation: *countriesAndRegions countryLookupMethod createdDateTime deletedDateTime displayName id includeUnknownCountriesAndRegions
	modifiedDateTime
authenticationMethodsPolicy: description displayName id lastModifiedDateTime microsoftAuthenticatorPlatformSettings> policyMigrationState
	policyVersion reconfirmationInDays registrationEnforcement reportSuspiciousActivitySettings> systemCredentialPreferences>
authenticationMethodConfiguration: *excludeTargets id state
authenticationStrengthPolicy: *allowedCombinations createdDateTime description displayName id modifiedDateTime policyType requirementsSatisfied
unifiedRoleDefinition: allowedPrincipalTypes> description displayName id isBuiltIn isEnabled isPrivileged> *resourceScopes *rolePermissions templateId
	version
unifiedRoleAssignment: appScopeId condition directoryScopeId id principalId principalOrganizationId resourceScope> roleDefinitionId
unifiedRoleAssignmentScheduleInstance: appScopeId assignmentType directoryScopeId endDateTime id memberType principalId roleAssignmentOriginId
	roleAssignmentScheduleId roleDefinitionId startDateTime
unifiedRoleEligibilitySchedule: appScopeId createdDateTime createdUsing directoryScopeId id memberType modifiedDateTime principalId roleDefinitionId
	scheduleInfo status
unifiedRoleEligibilityScheduleInstance: appScopeId directoryScopeId endDateTime id memberType principalId roleDefinitionId roleEligibilityScheduleId
	startDateTime
unifiedRoleEligibilityScheduleRequest: action appScopeId approvalId completedDateTime createdBy createdDateTime customData directoryScopeId id
	isValidationOnly justification principalId roleDefinitionId scheduleInfo status targetScheduleId ticketInfo
unifiedRoleAssignmentScheduleRequest: action appScopeId approvalId completedDateTime createdBy createdDateTime customData directoryScopeId id
	isValidationOnly justification principalId roleDefinitionId scheduleInfo status targetScheduleId ticketInfo
oAuth2PermissionGrant: clientId consentType expiryTime> id principalId resourceId scope startTime>
appRoleAssignment: appRoleId createdDateTime< creationTimestamp> deletedDateTime id principalDisplayName principalId principalType resourceDisplayName
	resourceId
federatedIdentityCredential: *audiences claimsMatchingExpression> description id issuer name subject
riskyUser: id isDeleted isProcessing riskDetail riskLastUpdatedDateTime riskLevel riskState userDisplayName userPrincipalName
delegatedAdminRelationship: accessDetails activatedDateTime autoExtendDuration createdDateTime customer displayName duration endDateTime id
	lastModifiedDateTime status
delegatedAdminAccessAssignment: accessContainer accessDetails createdDateTime id lastModifiedDateTime status
delegatedAdminRelationshipRequest: action createdDateTime id lastModifiedDateTime status
delegatedAdminRelationshipOperation: createdDateTime data id lastModifiedDateTime operationType status
delegatedAdminCustomer: displayName id tenantId
delegatedAdminServiceManagementDetail: id serviceManagementUrl serviceName
authenticationMethod: createdDateTime id lastUsedDateTime>
passwordAuthenticationMethod: createdDateTime id lastUsedDateTime> password
phoneAuthenticationMethod: createdDateTime id lastUsedDateTime> phoneNumber phoneType smsSignInState
microsoftAuthenticatorAuthenticationMethod: clientAppName> createdDateTime deviceTag displayName id lastUsedDateTime> phoneAppVersion
softwareOathAuthenticationMethod: createdDateTime id lastUsedDateTime> secretKey
fido2AuthenticationMethod: aaGuid *attestationCertificates attestationLevel createdDateTime displayName id lastUsedDateTime> model passkeyType
	publicKeyCredential
windowsHelloForBusinessAuthenticationMethod: createdDateTime displayName id keyStrength lastUsedDateTime>
temporaryAccessPassAuthenticationMethod: createdDateTime id isUsable< isUsableOnce lastUsedDateTime> lifetimeInMinutes methodUsabilityReason<
	startDateTime temporaryAccessPass
externalAuthenticationMethod: configurationId createdDateTime displayName id lastUsedDateTime>
strongAuthenticationRequirements: perUserMfaState>
partner.security.partnerSecurityScore: currentScore> id> lastRefreshDateTime> maxScore> updatedDateTime>
partner.security.partnerSecurityAlert: *activityLogs> additionalDetails> *affectedResources> alertType> catalogOfferId> confidenceLevel>
	customerTenantId> description> detectedDateTime> displayName> firstObservedDateTime> id> isTest> lastObservedDateTime> resolvedBy>
	resolvedOnDateTime> resolvedReason> severity> status> subscriptionId> valueAddedResellerTenantId>
partner.security.securityRequirement: actionUrl> complianceStatus> helpUrl> id> maxScore> requirementType> score> state> updatedDateTime>
partner.security.adminsMfaEnforcedSecurityRequirement: actionUrl> adminsRequiredNotUsingMfaCount> complianceStatus> helpUrl> id>
	legacyPerUserMfaStatus> maxScore> mfaConditionalAccessPolicyStatus> mfaEnabledAdminsCount> mfaEnabledUsersCount> requirementType> score>
	securityDefaultsStatus> state> totalAdminsCount> totalUsersCount> updatedDateTime> usersRequiredNotUsingMfaCount>
partner.security.customersMfaEnforcedSecurityRequirement: actionUrl> complianceStatus> compliantTenantCount> helpUrl> id> maxScore> requirementType>
	score> state> totalTenantCount> updatedDateTime>
partner.security.customersSpendingBudgetSecurityRequirement: actionUrl> complianceStatus> customersWithSpendBudgetCount> helpUrl> id> maxScore>
	requirementType> score> state> totalCustomersCount> updatedDateTime>
partner.security.responseTimeSecurityRequirement: actionUrl> averageResponseTimeInHours> complianceStatus> helpUrl> id> maxScore> requirementType>
	score> state> updatedDateTime>
partner.security.securityScoreHistory: compliantRequirementsCount> createdDateTime> id> score> totalRequirementsCount>
partner.security.customerInsight: mfa> tenantId>
emailAuthenticationMethodConfiguration: allowExternalIdToUseEmailOtp *excludeTargets id state
externalAuthenticationMethodConfiguration: appId displayName *excludeTargets id openIdConnectSetting state
fido2AuthenticationMethodConfiguration: defaultPasskeyProfile *excludeTargets id isAttestationEnforced isSelfServiceRegistrationAllowed
	keyRestrictions state
hardwareOathAuthenticationMethodConfiguration: *excludeTargets> id> state>
microsoftAuthenticatorAuthenticationMethodConfiguration: *excludeTargets featureSettings id isSoftwareOathEnabled state
qrCodePinAuthenticationMethodConfiguration: *excludeTargets id pinLength standardQRCodeLifetimeInDays state
smsAuthenticationMethodConfiguration: *excludeTargets id state
softwareOathAuthenticationMethodConfiguration: *excludeTargets id state
temporaryAccessPassAuthenticationMethodConfiguration: defaultLength defaultLifetimeInMinutes *excludeTargets id isUsableOnce maximumLifetimeInMinutes
	minimumLifetimeInMinutes state
verifiableCredentialsAuthenticationMethodConfiguration: *excludeTargets id state
voiceAuthenticationMethodConfiguration: callerIdNumber> *excludeTargets id isOfficePhoneAllowed state
x509CertificateAuthenticationMethodConfiguration: authenticationModeConfiguration *certificateAuthorityScopes *certificateUserBindings
	crlValidationConfiguration< *excludeTargets id issuerHintsConfiguration state
directoryObject: aboutMe accessType accountEnabled *addIns ageGroup allowExternalSenders *alternativeNames api appDescription appDisplayName appId
	appOwnerOrganizationId appRoleAssignmentRequired *appRoles applicationTemplateId *assignedLabels *assignedLicenses *assignedPlans
	authenticationBehaviors authorizationInfo autoSubscribeNewMembers birthday *businessPhones certification city classification cloudLicensing>
	cloudRealtimeCommunicationInfo> companyName consentProvidedForMinor country createdByAppId createdDateTime creationType customSecurityAttributes
	defaultRedirectUri deletedDateTime department description deviceEnrollmentLimit *deviceKeys> disabledByMicrosoftStatus displayName employeeHireDate
	employeeId employeeLeaveDateTime employeeOrgData employeeType errorUrl> expirationDateTime externalUserState externalUserStateChangeDateTime
	faxNumber givenName groupMembershipClaims *groupTypes hasMembersWithLicenseErrors hideFromAddressLists hideFromOutlookClients hireDate homepage id
	*identifierUris *identities identityGovernance> identityParentId *imAddresses info *infoCatalogs *interests isArchived isAssignableToRole
	isDeviceOnlyAuthSupported isDisabled isFallbackPublicClient isFavorite isLicenseReconciliationNeeded> isManagementRestricted isResourceAccount
	isSubscribedByMail jobTitle *keyCredentials lastPasswordChangeDateTime legalAgeGroupClassification *licenseAssignmentStates licenseProcessingState
	loginUrl logo logoutUrl mail mailEnabled mailNickname mailboxSettings *managerApplications membershipRule membershipRuleProcessingState
	membershipRuleProcessingStatus> mobilePhone mySite nativeAuthenticationApisEnabled notes *notificationEmailAddresses *oauth2PermissionScopes<
	oauth2RequirePostResponse< officeLocation onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId
	onPremisesLastSyncDateTime onPremisesNetBiosName *onPremisesProvisioningErrors onPremisesPublishing> onPremisesSamAccountName
	onPremisesSecurityIdentifier onPremisesSipInfo> onPremisesSyncEnabled onPremisesUserPrincipalName optionalClaims organizationId *otherMails
	parentalControlSettings *passwordCredentials passwordPolicies passwordProfile passwordSingleSignOnSettings> *pastProjects postalCode
	preferredDataLocation preferredLanguage preferredName preferredSingleSignOnMode preferredTokenSigningKeyEndDateTime>
	preferredTokenSigningKeyThumbprint print *provisionedPlans *proxyAddresses publicClient *publishedPermissionScopes> publisherDomain publisherName>
	refreshTokensValidFromDateTime> renewedDateTime *replyUrls requestSignatureVerification *requiredResourceAccess *resourceBehaviorOptions
	*resourceProvisioningOptions *resourceSpecificApplicationPermissions< *responsibilities roleTemplateId samlMetadataUrl samlSingleSignOnSettings
	*schools securityEnabled securityIdentifier serviceManagementReference servicePrincipalLockConfiguration *servicePrincipalNames servicePrincipalType
	*serviceProvisioningErrors showInAddressList signInActivity signInAudience signInAudienceRestrictions> signInSessionsValidFromDateTime *skills spa
	state streetAddress surname *tags theme tokenEncryptionKeyId uniqueName unseenConversationsCount unseenCount unseenMessagesCount usageLocation
	userPrincipalName userType verifiedPublisher visibility web welcomeMessageEnabled windows> writebackConfiguration>
`

type property struct{ list, v1, beta bool }

var properties = sync.OnceValue(func() map[string]map[string]property {
	out := map[string]map[string]property{}
	var typ map[string]property
	for line := range strings.Lines(metadata + metadataOfMore) {
		if name, rest, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, "\t") {
			typ = map[string]property{}
			out[name] = typ
			line = rest
		}
		for w := range strings.FieldsSeq(line) {
			p := property{v1: !strings.HasSuffix(w, ">"), beta: !strings.HasSuffix(w, "<")}
			w, p.list = strings.CutPrefix(strings.TrimRight(w, "<>"), "*")
			typ[w] = p
		}
	}
	return out
})

// spellings are the names of a type's properties by their lower case.
var spellings = sync.OnceValue(func() map[string]map[string]string {
	out := map[string]map[string]string{}
	for typ, names := range properties() {
		out[typ] = make(map[string]string, len(names))
		for n := range names {
			out[typ][strings.ToLower(n)] = n
		}
	}
	return out
})

// spelled is how the type spells a property that may be written in any case.
func spelled(typ, name string) string {
	if _, ok := properties()[typ][name]; ok {
		return name
	}
	if n, ok := spellings()[typ][strings.ToLower(name)]; ok {
		return n
	}
	return name
}

// knownAnywhere reports a property that some type has, in any case.
func knownAnywhere(name string, beta bool) bool {
	for typ := range properties() {
		if ok, _ := knownProperty(typ, spelled(typ, name), beta); ok {
			return true
		}
	}
	return false
}

// knownProperty reports whether a type has a property in a version, and whether
// it is a collection.
func knownProperty(typ, name string, beta bool) (known, list bool) {
	p, ok := properties()[typ][name]
	if !ok || beta && !p.beta || !beta && !p.v1 {
		return false, false
	}
	return true, p.list
}
