"""Tables of how AWS names its resources: by the prefix of an id, by ARN, by the parameter that carries a name.

The value is the CloudFormation type, `AWS::Service::Thing`; the thing's name is also how API actions call it
(`RevokeSecurityGroupIngress` acts on a `SecurityGroup`). Pure data.
"""

from __future__ import annotations

from probable_cause.families.values import words

# Prefix of a typed id, before the first dash.
BY_PREFIX = {
    prefix: f"AWS::{kind}"
    for prefix, kind in (
        pair.split("=")
        for pair in words("""
        i=EC2::Instance sg=EC2::SecurityGroup sgr=EC2::SecurityGroupRule vpc=EC2::VPC subnet=EC2::Subnet
        rtb=EC2::RouteTable rtbassoc=EC2::SubnetRouteTableAssociation acl=EC2::NetworkAcl
        aclassoc=EC2::SubnetNetworkAclAssociation eni=EC2::NetworkInterface vol=EC2::Volume snap=EC2::Snapshot
        ami=EC2::Image igw=EC2::InternetGateway eigw=EC2::EgressOnlyInternetGateway nat=EC2::NatGateway
        vpce=EC2::VPCEndpoint pcx=EC2::VPCPeeringConnection tgw=EC2::TransitGateway eipalloc=EC2::EIP
        eipassoc=EC2::EIPAssociation vgw=EC2::VPNGateway vpn=EC2::VPNConnection cgw=EC2::CustomerGateway
        dopt=EC2::DHCPOptions lt=EC2::LaunchTemplate fl=EC2::FlowLog pl=EC2::PrefixList
        sir=EC2::SpotInstanceRequest sfr=EC2::SpotFleet fleet=EC2::EC2Fleet key=EC2::KeyPair
        eice=EC2::InstanceConnectEndpoint cvpn=EC2::ClientVpnEndpoint lgw=EC2::LocalGateway ipam=EC2::IPAM
        fs=EFS::FileSystem fsmt=EFS::MountTarget fsap=EFS::AccessPoint db=RDS::DBInstance cluster=RDS::DBCluster
        mi=SSM::ManagedInstance mw=SSM::MaintenanceWindow pb=SSM::PatchBaseline
        rqlc=Route53Resolver::ResolverQueryLoggingConfig
        rslvr=Route53Resolver::ResolverRule org=Organizations::Organization ou=Organizations::OrganizationalUnit
        j=EMR::Cluster dxcon=DirectConnect::Connection dxvif=DirectConnect::VirtualInterface
        d=WorkSpaces::Directory ws=WorkSpaces::Workspace
        """)
    )
} | {"tgw-attach": "AWS::EC2::TransitGatewayAttachment", "tgw-rtb": "AWS::EC2::TransitGatewayRouteTable",
     "vpce-svc": "AWS::EC2::VPCEndpointService", "dopt-assoc": "AWS::EC2::VPCDHCPOptionsAssociation"}  # fmt: skip

# These prefixes are also common words; only ids of hexadecimal digits after them count.
ONLY_HEX = frozenset({"j", "d", "db", "key", "fleet", "cluster", "org", "ou", "ws", "mi"})

# (service of an ARN, first word of its resource part) -> type. The plain id is what follows that word.
BY_ARN = {
    tuple(path.split("/")): f"AWS::{kind}"
    for path, kind in (
        pair.split("=")
        for pair in words("""
        ec2/instance=EC2::Instance ec2/security-group=EC2::SecurityGroup ec2/vpc=EC2::VPC ec2/subnet=EC2::Subnet
        ec2/route-table=EC2::RouteTable ec2/network-acl=EC2::NetworkAcl ec2/network-interface=EC2::NetworkInterface
        ec2/volume=EC2::Volume ec2/snapshot=EC2::Snapshot ec2/image=EC2::Image
        ec2/internet-gateway=EC2::InternetGateway ec2/natgateway=EC2::NatGateway ec2/vpc-endpoint=EC2::VPCEndpoint
        ec2/vpc-peering-connection=EC2::VPCPeeringConnection ec2/transit-gateway=EC2::TransitGateway
        ec2/transit-gateway-attachment=EC2::TransitGatewayAttachment ec2/elastic-ip=EC2::EIP
        ec2/transit-gateway-route-table=EC2::TransitGatewayRouteTable ec2/security-group-rule=EC2::SecurityGroupRule
        ec2/launch-template=EC2::LaunchTemplate ec2/key-pair=EC2::KeyPair ec2/vpc-flow-log=EC2::FlowLog
        rds/db=RDS::DBInstance rds/cluster=RDS::DBCluster rds/snapshot=RDS::DBSnapshot
        rds/cluster-snapshot=RDS::DBClusterSnapshot rds/pg=RDS::DBParameterGroup rds/subgrp=RDS::DBSubnetGroup
        rds/cluster-pg=RDS::DBClusterParameterGroup rds/secgrp=RDS::DBSecurityGroup rds/es=RDS::EventSubscription
        rds/db-proxy=RDS::DBProxy rds/global-cluster=RDS::GlobalCluster
        lambda/function=Lambda::Function lambda/layer=Lambda::LayerVersion
        lambda/event-source-mapping=Lambda::EventSourceMapping
        dynamodb/table=DynamoDB::Table dynamodb/global-table=DynamoDB::GlobalTable
        ecs/cluster=ECS::Cluster ecs/service=ECS::Service ecs/task=ECS::Task ecs/task-definition=ECS::TaskDefinition
        ecs/container-instance=ECS::ContainerInstance ecs/capacity-provider=ECS::CapacityProvider
        eks/cluster=EKS::Cluster eks/nodegroup=EKS::Nodegroup eks/addon=EKS::Addon ecr/repository=ECR::Repository
        elasticloadbalancing/loadbalancer=ElasticLoadBalancingV2::LoadBalancer
        elasticloadbalancing/targetgroup=ElasticLoadBalancingV2::TargetGroup
        elasticloadbalancing/listener=ElasticLoadBalancingV2::Listener
        elasticloadbalancing/listener-rule=ElasticLoadBalancingV2::ListenerRule
        autoscaling/autoScalingGroup=AutoScaling::AutoScalingGroup
        autoscaling/launchConfiguration=AutoScaling::LaunchConfiguration
        autoscaling/scalingPolicy=AutoScaling::ScalingPolicy
        iam/role=IAM::Role iam/user=IAM::User iam/group=IAM::Group iam/policy=IAM::Policy
        iam/instance-profile=IAM::InstanceProfile iam/oidc-provider=IAM::OIDCProvider
        iam/saml-provider=IAM::SAMLProvider
        kms/key=KMS::Key kms/alias=KMS::Alias secretsmanager/secret=SecretsManager::Secret ssm/parameter=SSM::Parameter
        ssm/document=SSM::Document cloudformation/stack=CloudFormation::Stack logs/log-group=Logs::LogGroup
        cloudwatch/alarm=CloudWatch::Alarm events/rule=Events::Rule events/event-bus=Events::EventBus
        states/stateMachine=StepFunctions::StateMachine states/execution=StepFunctions::Execution
        kinesis/stream=Kinesis::Stream firehose/deliverystream=KinesisFirehose::DeliveryStream
        elasticache/cluster=ElastiCache::CacheCluster elasticache/replicationgroup=ElastiCache::ReplicationGroup
        elasticache/serverlesscache=ElastiCache::ServerlessCache
        es/domain=OpenSearchService::Domain cloudfront/distribution=CloudFront::Distribution
        cloudtrail/trail=CloudTrail::Trail config/config-rule=Config::ConfigRule
        acm/certificate=CertificateManager::Certificate
        wafv2/regional=WAFv2::WebACL wafv2/global=WAFv2::WebACL route53/hostedzone=Route53::HostedZone
        route53/healthcheck=Route53::HealthCheck cognito-idp/userpool=Cognito::UserPool
        codebuild/project=CodeBuild::Project codedeploy/application=CodeDeploy::Application
        codedeploy/deploymentgroup=CodeDeploy::DeploymentGroup elasticfilesystem/file-system=EFS::FileSystem
        redshift/cluster=Redshift::Cluster kafka/cluster=MSK::Cluster mq/broker=AmazonMQ::Broker
        apigateway/=ApiGateway::RestApi network-firewall/firewall=NetworkFirewall::Firewall
        network-firewall/firewall-policy=NetworkFirewall::FirewallPolicy glue/job=Glue::Job
        batch/job-queue=Batch::JobQueue
        elasticbeanstalk/environment=ElasticBeanstalk::Environment sagemaker/endpoint=SageMaker::Endpoint
        """)
    )
}
# ARNs whose resource part is the name alone.
BY_SERVICE = {
    "s3": "AWS::S3::Bucket", "sqs": "AWS::SQS::Queue", "sns": "AWS::SNS::Topic",
    "codepipeline": "AWS::CodePipeline::Pipeline", "codecommit": "AWS::CodeCommit::Repository",
}  # fmt: skip
# What the ARN of these names is also an id of its own, in the lookup tables and in API calls.
PLAIN = frozenset(
    words("""EC2 RDS Lambda DynamoDB ECS EKS ECR S3 SQS SNS KMS AutoScaling Kinesis KinesisFirehose ElastiCache
    OpenSearchService CloudFront StepFunctions Route53 EFS Redshift CodePipeline CloudWatch Events SSM Logs""")
)

# Parameter that carries a resource's name or id, in lower case -> type. `service` as part of the key: only there.
BY_PARAMETER = {
    name: f"AWS::{kind}"
    for name, kind in (
        pair.split("=")
        for pair in words("""
        instanceid=EC2::Instance instanceids=EC2::Instance groupid=EC2::SecurityGroup groupids=EC2::SecurityGroup
        securitygroupid=EC2::SecurityGroup securitygroupids=EC2::SecurityGroup securitygroups=EC2::SecurityGroup
        vpcid=EC2::VPC subnetid=EC2::Subnet subnetids=EC2::Subnet subnets=EC2::Subnet routetableid=EC2::RouteTable
        networkaclid=EC2::NetworkAcl networkinterfaceid=EC2::NetworkInterface volumeid=EC2::Volume
        snapshotid=EC2::Snapshot imageid=EC2::Image internetgatewayid=EC2::InternetGateway 
        natgatewayid=EC2::NatGateway vpcendpointid=EC2::VPCEndpoint vpcpeeringconnectionid=EC2::VPCPeeringConnection
        transitgatewayid=EC2::TransitGateway allocationid=EC2::EIP launchtemplateid=EC2::LaunchTemplate
        launchtemplatename=EC2::LaunchTemplate keyname=EC2::KeyPair
        dbinstanceidentifier=RDS::DBInstance dbclusteridentifier=RDS::DBCluster dbsnapshotidentifier=RDS::DBSnapshot
        dbclustersnapshotidentifier=RDS::DBClusterSnapshot dbparametergroupname=RDS::DBParameterGroup
        dbclusterparametergroupname=RDS::DBClusterParameterGroup dbsubnetgroupname=RDS::DBSubnetGroup
        dbproxyname=RDS::DBProxy globalclusteridentifier=RDS::GlobalCluster
        sourcedbinstanceidentifier=RDS::DBInstance functionname=Lambda::Function functionarn=Lambda::Function
        tablename=DynamoDB::Table loadbalancername=ElasticLoadBalancing::LoadBalancer
        loadbalancerarn=ElasticLoadBalancingV2::LoadBalancer targetgrouparn=ElasticLoadBalancingV2::TargetGroup
        listenerarn=ElasticLoadBalancingV2::Listener rulearn=ElasticLoadBalancingV2::ListenerRule
        autoscalinggroupname=AutoScaling::AutoScalingGroup launchconfigurationname=AutoScaling::LaunchConfiguration
        bucketname=S3::Bucket queueurl=SQS::Queue queuename=SQS::Queue topicarn=SNS::Topic
        secretid=SecretsManager::Secret
        keyid=KMS::Key hostedzoneid=Route53::HostedZone healthcheckid=Route53::HealthCheck
        stackname=CloudFormation::Stack stackid=CloudFormation::Stack changesetname=CloudFormation::ChangeSet
        rolename=IAM::Role policyarn=IAM::Policy
        instanceprofilename=IAM::InstanceProfile streamname=Kinesis::Stream
        deliverystreamname=KinesisFirehose::DeliveryStream replicationgroupid=ElastiCache::ReplicationGroup
        cacheclusterid=ElastiCache::CacheCluster
        distributionid=CloudFront::Distribution restapiid=ApiGateway::RestApi apiid=ApiGatewayV2::Api
        statemachinearn=StepFunctions::StateMachine certificatearn=CertificateManager::Certificate
        webaclid=WAFv2::WebACL webaclarn=WAFv2::WebACL userpoolid=Cognito::UserPool loggroupname=Logs::LogGroup
        alarmname=CloudWatch::Alarm alarmnames=CloudWatch::Alarm rulename=Events::Rule trailname=CloudTrail::Trail
        repositoryname=ECR::Repository nodegroupname=EKS::Nodegroup fargateprofilename=EKS::FargateProfile
        filesystemid=EFS::FileSystem environmentname=ElasticBeanstalk::Environment
        pipelinename=CodePipeline::Pipeline projectname=CodeBuild::Project
        deploymentgroupname=CodeDeploy::DeploymentGroup
        firewallname=NetworkFirewall::Firewall firewallarn=NetworkFirewall::Firewall
        firewallpolicyarn=NetworkFirewall::FirewallPolicy crawlername=Glue::Crawler jobname=Glue::Job
        detectorid=GuardDuty::Detector configrulename=Config::ConfigRule vaultname=Glacier::Vault
        configurationrecordername=Config::ConfigurationRecorder endpointname=SageMaker::Endpoint
        """)
    )
} | {
    f"{service}:{name}": f"AWS::{kind}"
    for service, name, kind in (
        entry.split("/")
        for entry in words("""
        ecs/cluster/ECS::Cluster ecs/clustername/ECS::Cluster ecs/service/ECS::Service ecs/servicename/ECS::Service
        ecs/task/ECS::Task ecs/taskdefinition/ECS::TaskDefinition ecs/family/ECS::TaskDefinition
        eks/name/EKS::Cluster eks/clustername/EKS::Cluster ssm/name/SSM::Parameter ssm/names/SSM::Parameter
        ssm/target/EC2::Instance cloudtrail/name/CloudTrail::Trail events/name/Events::Rule events/rule/Events::Rule
        kms/aliasname/KMS::Alias kms/targetkeyid/KMS::Key lambda/resource/Lambda::Function
        elasticloadbalancing/name/ElasticLoadBalancingV2::LoadBalancer
        cloudfront/id/CloudFront::Distribution route53/id/Route53::HostedZone
        wafv2/name/WAFv2::WebACL wafv2/id/WAFv2::WebACL wafv2/resourcearn/ElasticLoadBalancingV2::LoadBalancer
        secretsmanager/name/SecretsManager::Secret sns/name/SNS::Topic sqs/queueurl/SQS::Queue
        codepipeline/name/CodePipeline::Pipeline codebuild/name/CodeBuild::Project
        es/domainname/OpenSearchService::Domain states/name/StepFunctions::StateMachine
        redshift/clusteridentifier/Redshift::Cluster kafka/clusterarn/MSK::Cluster kafka/clustername/MSK::Cluster
        elasticfilesystem/filesystemid/EFS::FileSystem glue/name/Glue::Job 
        iam/username/IAM::User iam/groupname/IAM::Group codedeploy/applicationname/CodeDeploy::Application
        apigateway/domainname/ApiGateway::DomainName appconfig/applicationid/AppConfig::Application
        appconfig/environmentid/AppConfig::Environment application-autoscaling/resourceid/ECS::Service
        rds/dbinstancearn/RDS::DBInstance dax/clustername/DAX::Cluster memorydb/clustername/MemoryDB::Cluster
        """)
    )
}  # fmt: skip
