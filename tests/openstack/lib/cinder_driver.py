"""A Cinder volume driver whose volumes are sparse files. A volume from an image really downloads and converts it;
upload to an image, snapshot, clone and extend work. It needs no LVM and nothing of the kernel.
"""
import os
import shutil

from oslo_config import cfg
from oslo_utils import units

from cinder.image import image_utils
from cinder import interface
from cinder.volume import configuration
from cinder.volume import driver

OPTS = [cfg.StrOpt('lab_volumes', help='the directory of the volumes')]
cfg.CONF.register_opts(OPTS, group=configuration.SHARED_CONF_GROUP)


@interface.volumedriver
class FileDriver(driver.VolumeDriver):
    VERSION = '1.0'
    CI_WIKI_NAME = 'none'

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTS)
        self.dir = self.configuration.lab_volumes

    def do_setup(self, context):
        os.makedirs(self.dir, exist_ok=True)

    def check_for_setup_error(self):
        pass

    def local_path(self, volume):
        return os.path.join(self.dir, 'volume-' + volume.name_id)

    def _snap(self, snapshot):
        return os.path.join(self.dir, 'snapshot-' + snapshot.id)

    def _size(self, path, gib):
        with open(path, 'ab') as f:
            f.truncate(gib * units.Gi)

    def _copy(self, src, dst, gib):
        self._execute('cp', '--sparse=always', '--reflink=auto', src, dst)
        self._size(dst, gib)

    def create_volume(self, volume):
        self._size(self.local_path(volume), volume.size)

    def delete_volume(self, volume):
        if os.path.exists(self.local_path(volume)):
            os.unlink(self.local_path(volume))

    def create_snapshot(self, snapshot):
        shutil.copyfile(self.local_path(snapshot.volume), self._snap(snapshot))

    def delete_snapshot(self, snapshot):
        if os.path.exists(self._snap(snapshot)):
            os.unlink(self._snap(snapshot))

    def create_volume_from_snapshot(self, volume, snapshot):
        self._copy(self._snap(snapshot), self.local_path(volume), volume.size)

    def create_cloned_volume(self, volume, src_vref):
        self._copy(self.local_path(src_vref), self.local_path(volume),
                   volume.size)

    def extend_volume(self, volume, new_size):
        self._size(self.local_path(volume), new_size)

    def copy_image_to_volume(self, context, volume, image_service, image_id,
                             disable_sparse=False):
        image_utils.fetch_to_raw(context, image_service, image_id,
                                 self.local_path(volume),
                                 self.configuration.volume_dd_blocksize,
                                 size=volume.size, run_as_root=False)
        self._size(self.local_path(volume), volume.size)

    def copy_volume_to_image(self, context, volume, image_service, image_meta):
        from cinder.volume import volume_utils
        volume_utils.upload_volume(context, image_service, image_meta,
                                   self.local_path(volume), volume,
                                   run_as_root=False)

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def initialize_connection(self, volume, connector, **kwargs):
        return {'driver_volume_type': 'local',
                'data': {'device_path': self.local_path(volume)}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass

    def _update_volume_stats(self):
        self._stats = {
            'volume_backend_name': 'lab', 'vendor_name': 'lab',
            'driver_version': self.VERSION, 'storage_protocol': 'file',
            'pools': [{'pool_name': 'lab', 'total_capacity_gb': 100000,
                       'free_capacity_gb': 100000, 'reserved_percentage': 0,
                       'provisioned_capacity_gb': 0, 'QoS_support': False,
                       'thin_provisioning_support': True,
                       'max_over_subscription_ratio': '20.0',
                       'multiattach': True}]}
