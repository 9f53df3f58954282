"""Nova's own fake virt driver, a little less fake. Like libvirt it downloads the image when it spawns a server, and
uploads data for a snapshot (the stock one leaves the snapshot queued for ever); and it remembers its servers over a
restart, from Nova's database.
"""
import io
import os
import tempfile

from nova.compute import power_state
from nova.compute import task_states
from nova.compute import vm_states
from nova import context as nova_context
from nova import exception
from nova.image import glance
from nova import objects
from nova.virt import fake


class LabDriver(fake.FakeDriverWithoutFakeNodes):
    capabilities = dict(fake.FakeDriverWithoutFakeNodes.capabilities,
                        supports_image_type_qcow2=True)

    def init_host(self, host):
        super().init_host(host)
        self._image_api = glance.API()
        gone = (vm_states.DELETED, vm_states.SOFT_DELETED,
                vm_states.SHELVED_OFFLOADED, vm_states.ERROR, vm_states.BUILDING)
        ctxt = nova_context.get_admin_context()
        for inst in objects.InstanceList.get_by_host(ctxt, host):
            if inst.vm_state in gone:
                continue
            on = inst.power_state == power_state.RUNNING
            self.instances[inst.uuid] = fake.FakeInstance(
                inst.name, power_state.RUNNING if on else power_state.SHUTDOWN,
                inst.uuid)

    def spawn(self, context, instance, image_meta, *args, **kwargs):
        bdi = kwargs.get('block_device_info') or {}
        if instance.image_ref and not bdi.get('root_device_name') == 'none':
            volume_root = any(
                m.get('boot_index') == 0
                for m in bdi.get('block_device_mapping') or [])
            if not volume_root:
                fd, path = tempfile.mkstemp(prefix='spawn-')
                os.close(fd)
                try:
                    self._image_api.download(context, instance.image_ref,
                                             dest_path=path)
                finally:
                    os.unlink(path)
        return super().spawn(context, instance, image_meta, *args, **kwargs)

    def snapshot(self, context, instance, image_id, update_task_state):
        if instance.uuid not in self.instances:
            raise exception.InstanceNotRunning(instance_id=instance.uuid)
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        snapshot = self._image_api.get(context, image_id)
        metadata = {
            'status': 'active', 'name': snapshot['name'], 'disk_format': 'raw',
            'container_format': 'bare',
            'properties': {
                'kernel_id': instance.kernel_id, 'image_location': 'snapshot',
                'image_state': 'available', 'owner_id': instance.project_id,
                'ramdisk_id': instance.ramdisk_id}}
        update_task_state(task_state=task_states.IMAGE_UPLOADING,
                          expected_state=task_states.IMAGE_PENDING_UPLOAD)
        self._image_api.update(context, image_id, metadata,
                               io.BytesIO(os.urandom(65536)))
